use std::io::Cursor;

use super::super::{CapturedFrame, Encoding, Next, Raw, pixel_format};
use super::*;

const CLIP: &str = "tests/data/clip/clip";

/// Frames' sizes and whether the writer waits, of bytes on standard input; errors as text.
fn sizes(bytes: Vec<u8>, options: SourceOptions, regular: bool) -> (Vec<usize>, bool, String) {
    let mut pipe = piped("standard input", Cursor::new(bytes), options, regular).unwrap();
    let (mut frame, mut found) = (CapturedFrame::empty(), Vec::new());
    let mut waits = false;
    loop {
        match pipe.next(&mut frame) {
            Ok(Next::Frame) => {
                found.push(frame.bytes.len());
                waits |= pipe.waits();
            }
            Ok(Next::End) => return (found, waits, String::new()),
            Ok(_) => {}
            Err(error) => return (found, waits, error.to_string()),
        }
    }
}

fn clip(extension: &str) -> Vec<u8> {
    fs::read(format!("{CLIP}.{extension}")).unwrap()
}

#[test]
fn standard_input_takes_what_cameras_and_recorders_write() {
    let plain = SourceOptions::default;
    assert_eq!(sizes(clip("y4m"), plain(), false), (vec![1152; 4], true, String::new()));
    let (frames, waits, error) = sizes(clip("avi"), plain(), false);
    assert_eq!((frames.len(), waits, error.as_str()), (4, true, ""));
    // A camera's frames may be dropped, those of a file not.
    let (frames, waits, _) = sizes(clip("mjpeg"), plain(), false);
    assert!((1..=4).contains(&frames.len()) && !waits);
    let (frames, waits, _) = sizes(clip("mjpeg"), plain(), true);
    assert_eq!((frames.len(), waits), (4, true));
    let raw = Raw { format: pixel_format("rgb24").unwrap(), size: (32, 24), stride: None };
    let raw = SourceOptions { raw: Some(raw), ..plain() };
    assert_eq!(sizes(clip("rgb"), raw, true), (vec![2304; 4], true, String::new()));
    let live = SourceOptions { real_time: true, ..plain() };
    assert!(!sizes(clip("y4m"), live, false).1);
}

#[test]
fn standard_input_refuses_what_it_cannot_cut() {
    let line = |bytes: &[u8]| sizes(bytes.to_vec(), SourceOptions::default(), false).2;
    assert!(line(b"\x1a\x45\xdf\xa3........").contains("Matroska"));
    assert!(line(&clip("png")).contains("found a picture"));
    assert_eq!(line(b""), "standard input: found nothing, expected frames");
}

#[test]
fn a_stream_of_jpeg_may_begin_in_the_middle() {
    let bytes = clip("mjpeg");
    let mut pipe =
        piped("standard input", Cursor::new(bytes[300..].to_vec()), SourceOptions::default(), true).unwrap();
    let mut frame = CapturedFrame::empty();
    let mut told = Vec::new();
    loop {
        match pipe.next(&mut frame).unwrap() {
            Next::Frame => assert_eq!(frame.encoding, Encoding::Jpeg),
            Next::Broken(why) => told.push(why),
            Next::End => break,
            _ => {}
        }
    }
    assert_eq!(told, ["frame 0: bytes that are not JPEG"]);
    assert_eq!(frame.number, 2);
}
