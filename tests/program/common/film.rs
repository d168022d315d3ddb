//! Films of a cat that moves.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

/// Size of the pictures.
pub(crate) const SIZE: (u32, u32) = (320, 240);
/// Size of the cat.
pub(crate) const CAT: (u32, u32) = (150, 100);

/// Makes pictures with a photo of a cat on grey.
pub(crate) struct Studio {
    cat: RgbImage,
}

impl Studio {
    pub(crate) fn new() -> Self {
        Self::with("cat.jpg")
    }

    /// With another photo of `tests/data/` in the cat's place.
    pub(crate) fn with(photo: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(photo);
        let cat = image::open(path).unwrap().into_rgb8();
        Self { cat: imageops::resize(&cat, CAT.0, CAT.1, FilterType::Triangle) }
    }

    /// The cat's left edge at `x`, in the middle of the height; no cat for `None`.
    pub(crate) fn picture(&self, x: Option<i64>) -> RgbImage {
        self.placed(SIZE, x.map(|x| (x, i64::from((SIZE.1 - CAT.1) / 2))))
    }

    /// In a picture of this size, the cat's upper left corner at `at`, which may be outside.
    pub(crate) fn placed(&self, size: (u32, u32), at: Option<(i64, i64)>) -> RgbImage {
        let mut picture = RgbImage::from_pixel(size.0, size.1, Rgb([120, 125, 130]));
        if let Some((x, y)) = at {
            imageops::replace(&mut picture, &self.cat, x, y);
        }
        picture
    }

    /// The cat goes from left to right in so many frames.
    pub(crate) fn walk(&self, frames: u32) -> Vec<RgbImage> {
        let x = |i: u32| i64::from(i * (SIZE.0 - CAT.0) / (frames - 1));
        (0..frames).map(|i| self.picture(Some(x(i)))).collect()
    }
}

/// Frames as Y4M with a sample of each kind a pixel.
pub(crate) fn y4m(frames: &[RgbImage], fps: u32) -> Vec<u8> {
    let (width, height) = frames[0].dimensions();
    let mut bytes = Vec::new();
    writeln!(bytes, "YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C444").unwrap();
    for frame in frames {
        writeln!(bytes, "FRAME").unwrap();
        for plane in [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]] {
            let base = if plane[0] == 65.481 { 16.0 } else { 128.0 };
            bytes.extend(frame.pixels().map(|pixel| {
                let sum: f64 =
                    plane.iter().zip(pixel.0).map(|(factor, value)| factor * f64::from(value) / 255.0).sum();
                (base + sum).round() as u8
            }));
        }
    }
    bytes
}

/// Writes a film to `folder`.
pub(crate) fn film(folder: &Path, name: &str, frames: &[RgbImage], fps: u32) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, y4m(frames, fps)).unwrap();
    path
}

/// A frame as JPEG.
pub(crate) fn jpeg(frame: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    frame.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}
