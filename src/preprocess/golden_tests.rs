//! Preprocessing against `quantize/preprocess.py` (Pillow), bit for bit. `python -m quantize.golden` makes the cases.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use edgeclip::frame::{Frame, PixelFormat};
use edgeclip::preprocess::letterbox;
use edgeclip::source::Picture;
use safetensors::SafeTensors;

const SIZE: u32 = 48;

fn pictures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/preprocess");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "png")).collect()
}

#[test]
fn every_case_is_equal_bit_for_bit() {
    let pictures = pictures();
    assert!(pictures.len() >= 7, "golden cases are missing: {pictures:?}");
    for path in pictures {
        let bytes = fs::read(path.with_extension("safetensors")).unwrap();
        let golden = SafeTensors::deserialize(&bytes).unwrap();
        let expected = golden.tensor("input").unwrap();
        assert_eq!(expected.shape(), [3, SIZE as usize, SIZE as usize]);

        let picture = Picture::open(&path).unwrap();
        let (values, letterbox) = letterbox(&picture.frame().unwrap(), SIZE).unwrap();
        let values: Vec<u8> = values.iter().map(|&value| value as u8).collect();
        assert_eq!(values, expected.data(), "{}", path.display());

        let content = letterbox.content();
        let content: Vec<u8> =
            [content.x0, content.y0, content.x1, content.y1].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(content, golden.tensor("content").unwrap().data(), "{}", path.display());
    }
}

#[test]
fn padding_between_rows_changes_nothing() {
    let path = pictures().pop().unwrap();
    let picture = Picture::open(&path).unwrap();
    let row = picture.width as usize * 3;
    let padded: Vec<u8> = picture.data.chunks(row).flat_map(|row| [row, &[0xaa; 5]].concat()).collect();
    let frame = Frame::new(&padded, picture.width, picture.height, row + 5, PixelFormat::Rgb8).unwrap();
    let plain = picture.frame().unwrap();
    assert_eq!(letterbox(&frame, SIZE).unwrap(), letterbox(&plain, SIZE).unwrap());
}
