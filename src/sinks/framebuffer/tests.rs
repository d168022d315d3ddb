use super::*;
use crate::report::ShownBoxes;
use crate::sinks::tests::{frame_report, picture_of, plain, show};
use crate::system::Channel;

const GREY: [u8; 3] = [90, 100, 110];

pub(crate) fn screen(width: u32, height: u32, bits: u32, channels: [Channel; 4]) -> Screen {
    let stride = (width * bits / 8) as usize;
    Screen { width, height, stride, start: 0, bits, channels }
}

/// The Raspberry Pi's screens and most small SPI displays.
pub(crate) fn rgb565(width: u32, height: u32) -> Screen {
    let channels = [Channel::new(11, 5), Channel::new(5, 6), Channel::new(0, 5), Channel::new(0, 0)];
    screen(width, height, 16, channels)
}

/// XRGB8888, as the kernel's graphics drivers use it: blue first in memory.
pub(crate) fn bgrx(width: u32, height: u32) -> Screen {
    let channels = [Channel::new(16, 8), Channel::new(8, 8), Channel::new(0, 8), Channel::new(0, 0)];
    screen(width, height, 32, channels)
}

/// What a file in place of the device holds after one frame.
fn shown(screen: Screen, report: &FrameReport, colour: [u8; 3]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fb0");
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
    let mut sink =
        Framebuffer::new("fb0".to_owned(), file, screen, Painter::new(ShownBoxes::Tracks)).unwrap();
    let picture = picture_of(report, colour);
    sink.take(report, Some(&picture)).unwrap();
    let first = std::fs::read(&path).unwrap();
    sink.take(report, Some(&picture)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first, "the second frame stands where the first one does");
    first
}

#[test]
fn a_picture_stands_in_the_middle_with_black_around() {
    // 4 by 2 pixels of one colour on a screen of 6 by 6, with padded rows, below a hidden row.
    let screen = Screen { stride: 32, start: 32, ..bgrx(6, 6) };
    let bytes = shown(screen, &plain(4, 2), [10, 20, 30]);
    assert_eq!(bytes.len(), 32 + 5 * 32 + 24);
    assert!(bytes[..32].iter().all(|byte| *byte == 0));
    for (y, row) in bytes[32..].chunks(32).enumerate() {
        // 6 by 3, one row above and two below.
        let expected = if (1..4).contains(&y) { [30, 20, 10, 0] } else { [0; 4] };
        assert!(row[..24].chunks(4).all(|pixel| pixel == expected), "row {y}: {row:?}");
        assert!(row[24..].iter().all(|byte| *byte == 0));
    }
}

#[test]
fn both_kinds_of_screen_show_the_same() {
    let report = frame_report();
    let (narrow, wide) = (shown(rgb565(160, 120), &report, GREY), shown(bgrx(160, 120), &report, GREY));
    let (narrow, wide) = (narrow.as_chunks::<2>().0, wide.as_chunks::<4>().0);
    assert_eq!((narrow.len(), wide.len()), (160 * 120, 160 * 120));
    for (n, [b, g, r, _]) in narrow.iter().zip(wide) {
        let pixel = u16::from(*r >> 3) << 11 | u16::from(*g >> 2) << 5 | u16::from(*b >> 3);
        assert_eq!(u16::from_ne_bytes(*n), pixel);
    }
}

#[test]
fn boxes_are_drawn_in_the_screen_s_resolution() {
    let with = shown(bgrx(160, 120), &frame_report(), GREY);
    let without = shown(bgrx(160, 120), &FrameReport { tracks: Vec::new(), ..frame_report() }, GREY);
    assert_ne!(with, without);
}

#[test]
fn what_is_no_framebuffer_is_refused_by_name() {
    let open = |path: &str| {
        Framebuffer::open(Path::new(path), Painter::new(ShownBoxes::Tracks)).err().unwrap().to_string()
    };
    assert!(open("/dev/null").starts_with("/dev/null: found not a framebuffer ("), "{}", open("/dev/null"));
    assert!(open("/no/fb0").starts_with("/no/fb0: No such file"), "{}", open("/no/fb0"));
}

#[test]
fn a_screen_that_takes_no_more_is_an_error() {
    let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut sink =
        Framebuffer::new("fb0".to_owned(), file, bgrx(8, 8), Painter::new(ShownBoxes::Tracks)).unwrap();
    assert!(show(&mut sink, &frame_report()).unwrap_err().to_string().starts_with("fb0: No space left"));
}
