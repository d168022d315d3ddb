//! The streams of `tests/data/h264`: what is in them, and which of their pictures was decoded.

use std::fs;

use crate::frame::{Frame, PixelFormat, Range};
use crate::source::CapturedFrame;

/// The access units of a stream of `tests/data/h264`: the NAL units of each picture.
pub(crate) fn units(name: &str) -> Vec<Vec<Vec<u8>>> {
    let bytes = fs::read(format!("tests/data/h264/{name}.h264")).unwrap();
    let starts: Vec<usize> =
        (0..bytes.len() - 3).filter(|at| bytes[*at..].starts_with(&[0, 0, 1])).map(|at| at + 3).collect();
    let mut units: Vec<Vec<Vec<u8>>> = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(bytes.len(), |next| next - 3);
        let mut nal = bytes[*start..end].to_vec();
        while nal.last() == Some(&0) {
            nal.pop();
        }
        // An access unit delimiter begins each picture.
        match nal[0] & 0x1f {
            9 => units.push(Vec::new()),
            _ => units.last_mut().unwrap().push(nal),
        }
    }
    units
}

/// Y, U and V at a place of a YU12 frame.
fn colour(frame: &Frame<'_>, x: usize, y: usize) -> [u8; 3] {
    let (stride, height) = (frame.stride, frame.height as usize);
    let chroma = stride * height + y / 2 * (stride / 2) + x / 2;
    let plane = stride / 2 * height.div_ceil(2);
    [frame.data[y * stride + x], frame.data[chroma], frame.data[chroma + plane]]
}

fn is_near(found: [u8; 3], expected: [u8; 3]) -> bool {
    found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 12)
}

/// The number of the picture in the streams of `tests/data/h264`, by where the red square is. Every place is looked at: all
/// of the square, its surroundings, and the blue one that never moves.
pub(crate) fn picture_number(shot: &mut CapturedFrame) -> usize {
    let frame = shot.decode("test").unwrap();
    // BT.601, of red, blue and 0x303030.
    let (red, blue, grey) = match frame.format {
        PixelFormat::Yu12(Range::Limited) => ([81, 90, 240], [41, 240, 110], [57, 128, 128]),
        PixelFormat::Yu12(Range::Full) => ([76, 85, 255], [29, 255, 107], [48, 128, 128]),
        other => panic!("{other:?}"),
    };
    let width = frame.width as usize;
    let row = 40;
    let left = (0..width).find(|x| is_near(colour(&frame, *x, row), red)).expect("a red square");
    // Chroma is shared by two pixels and blurred by the encoder.
    assert!(left % 8 <= 1 || left % 8 == 7, "a square at {left}");
    let number = (left + 1) / 8;
    for y in (2..frame.height as usize - 2).step_by(4) {
        for x in (2..width - 2).step_by(4) {
            let near = |from: usize, to: usize, at: usize| at + 3 >= from && at < to + 3;
            let inside = |from: usize, to: usize, at: usize| at >= from + 3 && at + 3 < to;
            let (from, to) = (8 * number, 8 * number + 32);
            let found = colour(&frame, x, y);
            if inside(from, to, x) && inside(24, 56, y) {
                assert!(is_near(found, red), "picture {number}: {found:?} at ({x}, {y})");
            } else if inside(64, 96, x) && inside(64, 96, y) {
                assert!(is_near(found, blue), "picture {number}: {found:?} at ({x}, {y})");
            } else if !(near(from, to, x) && near(24, 56, y) || near(64, 96, x) && near(64, 96, y)) {
                assert!(is_near(found, grey), "picture {number}: {found:?} at ({x}, {y})");
            }
        }
    }
    number
}
