//! Preprocessing against `quantize/arithmetic/preprocess.py` (Pillow), bit for bit. `python -m quantize.golden` makes the cases.

use std::fs;
use std::path::{Path, PathBuf};

use image::RgbImage;
use safetensors::SafeTensors;

use super::letterbox;
use crate::frame::{Frame, PixelFormat};

const SIZE: u32 = 48;

fn pictures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/preprocess");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "png")).collect()
}

fn open(path: &Path) -> RgbImage {
    image::open(path).unwrap().into_rgb8()
}

fn frame(picture: &RgbImage) -> Frame<'_> {
    let (width, height) = picture.dimensions();
    Frame::new(picture, width, height, width as usize * 3, PixelFormat::Rgb8).unwrap()
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

        let (values, letterbox) = letterbox(&frame(&open(&path)), SIZE).unwrap();
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
    let picture = open(&path);
    let (width, height) = picture.dimensions();
    let row = width as usize * 3;
    let padded: Vec<u8> = picture.chunks(row).flat_map(|row| [row, &[0xaa; 5]].concat()).collect();
    let padded = Frame::new(&padded, width, height, row + 5, PixelFormat::Rgb8).unwrap();
    assert_eq!(letterbox(&padded, SIZE).unwrap(), letterbox(&frame(&picture), SIZE).unwrap());
}
