use super::*;
use crate::frame::{PixelFormat, Range};

const FORMATS: [PixelFormat; 11] = [
    PixelFormat::Rgb8,
    PixelFormat::Bgr8,
    PixelFormat::Grey8,
    PixelFormat::Yuyv(Range::Limited),
    PixelFormat::Yuyv(Range::Full),
    PixelFormat::Uyvy(Range::Limited),
    PixelFormat::Uyvy(Range::Full),
    PixelFormat::Nv12(Range::Limited),
    PixelFormat::Nv12(Range::Full),
    PixelFormat::Yu12(Range::Limited),
    PixelFormat::Yu12(Range::Full),
];

const SIZES: [(u32, u32); 9] =
    [(1, 1), (2, 7), (15, 16), (33, 31), (64, 48), (65, 5), (1, 90), (131, 2), (97, 99)];

#[test]
fn every_format_gives_the_same_as_its_rgb() {
    for (width, height) in SIZES {
        for format in FORMATS {
            for padding in [0, 2, 14] {
                let stride = (format.row_bytes(width as usize).unwrap() + padding).next_multiple_of(2);
                // More bytes than the chroma planes need.
                let count = 2 * (stride + 1) * (height as usize + 1);
                let data: Vec<u8> =
                    (0..count as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 17) as u8).collect();
                let frame = Frame::new(&data, width, height, stride, format).unwrap();
                let pixels = rgb(&frame).unwrap();
                let plain =
                    Frame::new(&pixels, width, height, 3 * width as usize, PixelFormat::Rgb8).unwrap();
                for size in [1, 16, 45] {
                    let found = letterbox(&frame, size).unwrap();
                    assert!(
                        found == letterbox(&plain, size).unwrap(),
                        "{format:?} {width}x{height} to {size}"
                    );
                }
            }
        }
    }
}

#[test]
fn inconsistent_frames_are_rejected() {
    let frame = Frame::new(&[0; 12], 2, 2, 6, PixelFormat::Rgb8).unwrap();
    for broken in [Frame { width: 3, ..frame }, Frame { height: 0, ..frame }, Frame { data: &[], ..frame }] {
        let refused = [letterbox(&broken, 8).map(|_| ()), rgb(&broken).map(|_| ())];
        assert!(refused.iter().all(|result| matches!(result, Err(Error::Input(_)))), "{broken:?}");
    }
    assert!(letterbox(&frame, 0).is_err());
}
