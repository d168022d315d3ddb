use super::*;
use crate::frame::FrameMut;

fn convert(data: &[u8], width: u32, height: u32, stride: usize, format: PixelFormat) -> Vec<u8> {
    rgb(&Frame::new(data, width, height, stride, format).unwrap()).unwrap()
}

#[test]
fn bt_601_colour_bars_are_pure() {
    // ITU-R BT.601, 100 % bars: white, yellow, cyan, green, magenta, red, blue, black.
    let bars = [
        ([235, 128, 128], [255, 255, 255]),
        ([210, 16, 146], [255, 255, 0]),
        ([170, 166, 16], [1, 255, 255]),
        ([145, 54, 34], [0, 255, 1]),
        ([106, 202, 222], [255, 0, 254]),
        ([81, 90, 240], [254, 0, 0]),
        ([41, 240, 110], [0, 0, 255]),
        ([16, 128, 128], [0, 0, 0]),
    ];
    for ([y, u, v], colour) in bars {
        let found = convert(&[y, u, y, v], 2, 1, 4, PixelFormat::Yuyv(Range::Limited));
        for (found, expected) in found.iter().zip(colour.iter().cycle()) {
            assert!(found.abs_diff(*expected) <= 1, "{y} {u} {v}: {found} {expected}");
        }
    }
}

/// A picture of 3 × 3 pixels, stride 8, whose 2 × 2 blocks are grey, red, blue and grey in full
/// range: Y from 10 to 90.
const LUMA: [[u8; 3]; 3] = [[10, 20, 30], [40, 50, 60], [70, 80, 90]];
/// U and V of the blocks, top left to bottom right.
const CHROMA: [[[u8; 2]; 2]; 2] = [[[128, 128], [128, 228]], [[228, 128], [128, 128]]];

/// By hand: V at 100 above the middle adds 140.2 to red and takes 71.4 from green; U at 100 above adds 177.2
/// to blue and takes 34.4 from green.
const SUBSAMPLED: [[u8; 9]; 3] = [
    [10, 10, 10, 20, 20, 20, 170, 0, 30],
    [40, 40, 40, 50, 50, 50, 200, 0, 60],
    [70, 36, 247, 80, 46, 255, 90, 90, 90],
];

#[test]
fn planes_share_colour_among_four_pixels() {
    let mut nv12 = vec![0xee; 5 * 8];
    let mut yu12 = vec![0xee; 3 * 8 + 4 * 4];
    for (y, row) in LUMA.iter().enumerate() {
        nv12[y * 8..y * 8 + 3].copy_from_slice(row);
        yu12[y * 8..y * 8 + 3].copy_from_slice(row);
    }
    for (y, row) in CHROMA.iter().enumerate() {
        for (x, [u, v]) in row.iter().enumerate() {
            nv12[(3 + y) * 8 + 2 * x] = *u;
            nv12[(3 + y) * 8 + 2 * x + 1] = *v;
            yu12[3 * 8 + y * 4 + x] = *u;
            yu12[3 * 8 + (2 + y) * 4 + x] = *v;
        }
    }
    assert_eq!(convert(&nv12, 3, 3, 8, PixelFormat::Nv12(Range::Full)), SUBSAMPLED.concat());
    assert_eq!(convert(&yu12, 3, 3, 8, PixelFormat::Yu12(Range::Full)), SUBSAMPLED.concat());
}

#[test]
fn packed_pairs_share_colour_and_rows_may_be_padded() {
    let yuyv = [
        [10, 128, 20, 228, 30, 128, 0xee, 128, 0xee, 0xee],
        [90, 128, 90, 128, 70, 228, 0xee, 128, 0xee, 0xee],
    ];
    let expected = [[150, 0, 10, 160, 0, 20, 30, 30, 30], [90, 90, 90, 90, 90, 90, 70, 36, 247]].concat();
    assert_eq!(convert(&yuyv.concat(), 3, 2, 10, PixelFormat::Yuyv(Range::Full)), expected);
    let uyvy: Vec<u8> = yuyv.concat().chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    assert_eq!(convert(&uyvy, 3, 2, 10, PixelFormat::Uyvy(Range::Full)), expected);
}

#[test]
fn bgr_and_grey_become_rgb() {
    let padded = [1, 2, 3, 4, 5, 6, 0xee, 7, 8, 9, 10, 11, 12];
    assert_eq!(convert(&padded, 2, 2, 7, PixelFormat::Bgr8), [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
    assert_eq!(convert(&padded, 2, 2, 7, PixelFormat::Rgb8), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assert_eq!(
        convert(&[9, 8, 0xee, 7, 6], 2, 2, 3, PixelFormat::Grey8),
        [9, 9, 9, 8, 8, 8, 7, 7, 7, 6, 6, 6]
    );
}

/// A frame of 6 × 5 pixels in this format, all of whose bytes are 200.
fn bright(format: PixelFormat) -> (Vec<u8>, usize) {
    let stride = match format {
        PixelFormat::Rgb8 | PixelFormat::Bgr8 => 20,
        PixelFormat::Yuyv(_) | PixelFormat::Uyvy(_) => 14,
        _ => 8,
    };
    (vec![200; stride * 8 + 8], stride)
}

#[test]
fn in_every_format_what_is_blackened_is_black_and_its_neighbours_stay() {
    let (limited, full) = (Range::Limited, Range::Full);
    for format in [
        PixelFormat::Rgb8,
        PixelFormat::Bgr8,
        PixelFormat::Grey8,
        PixelFormat::Yuyv(limited),
        PixelFormat::Uyvy(full),
        PixelFormat::Nv12(limited),
        PixelFormat::Yu12(full),
    ] {
        let (mut data, stride) = bright(format);
        let before = data.clone();
        let mut frame = FrameMut::new(&mut data, 6, 5, stride, format).unwrap();
        frame.blacken(2, 1, 4);
        // Beyond the picture there is nothing to change.
        frame.blacken(5, 0, 6);
        frame.blacken(1, 6, 9);
        frame.blacken(1, 3, 3);
        let shown = |data: &[u8]| {
            let frame = Frame::new(data, 6, 5, stride, format).unwrap();
            rgb(&frame).unwrap()
        };
        let (found, bright) = (shown(&data), shown(&before));
        for (at, (found, bright)) in found.chunks(3).zip(bright.chunks(3)).enumerate() {
            let (x, y) = (at % 6, at / 6);
            if y == 2 && (1..4).contains(&x) {
                assert_eq!(found, [0; 3], "{format:?} {x} {y}");
            } else if x > 3 || !(2..=3).contains(&y) {
                assert_eq!(found, bright, "{format:?} {x} {y}");
            } else {
                // At most the colour is lost.
                assert!(found.iter().max() > Some(&150), "{format:?} {x} {y}: {found:?}");
            }
        }
    }
}
