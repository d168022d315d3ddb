//! One picture file, decoded.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Rgb, RgbImage};

use super::jpeg;
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{Frame, PixelFormat};

/// Most pixels of a picture; larger ones are refused before any memory is allocated.
pub(super) const MAX_PIXELS: u64 = 100_000_000;

/// Longest picture file in bytes.
const MAX_BYTES: u64 = 512 << 20;

const EXPECTED: &str = "a JPEG, PNG, WebP, GIF or BMP picture";

/// A decoded picture: 8-bit sRGB, upright, opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Path of the file, as the user wrote it.
    pub name: String,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `height` rows of `width` pixels of three bytes each, without padding.
    pub data: Vec<u8>,
}

impl Picture {
    /// Reads and decodes the picture at `path`: format by contents, EXIF orientation applied, the first frame
    /// of an animation, transparency over white.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read, is empty, not a picture, cut short, or larger than 100
    /// megapixels.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let bytes = read(path, &name)?;
        Self::decode(name, &bytes)
    }

    /// Decodes the contents of a picture file; `name` is for errors. Otherwise same as [`Picture::open`].
    ///
    /// # Errors
    /// [`Error::Input`], same as [`Picture::open`].
    pub fn decode(name: String, bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Err(Error::input(name, "an empty file", EXPECTED));
        }
        let broken = |error: ImageError| match error {
            ImageError::Unsupported(_) => Error::input(&name, format!("no picture ({error})"), EXPECTED),
            _ => Error::input(&name, format!("a broken picture ({error})"), EXPECTED),
        };
        let reader = ImageReader::new(Cursor::new(bytes));
        let reader = reader
            .with_guessed_format()
            .map_err(|source| Error::io(ErrorKind::Input, name.clone(), source))?;
        if reader.format() == Some(ImageFormat::Jpeg) && !jpeg::is_complete(bytes) {
            return Err(Error::input(
                name,
                "a picture cut short (no end-of-image marker)",
                "a whole JPEG file",
            ));
        }
        let mut decoder = reader.into_decoder().map_err(broken)?;
        let (width, height) = decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > MAX_PIXELS {
            let expected = format!("1 to {MAX_PIXELS} pixels");
            return Err(Error::input(name, format!("{width}x{height} pixels"), expected));
        }
        let orientation = decoder.orientation().map_err(broken)?;
        let mut decoded = DynamicImage::from_decoder(decoder).map_err(broken)?;
        decoded.apply_orientation(orientation);
        let rgb = opaque(decoded);
        let (width, height) = rgb.dimensions();
        Ok(Self { name, width, height, data: rgb.into_raw() })
    }

    /// The picture as a frame.
    ///
    /// # Errors
    /// [`Error::Input`] if the public fields were changed and contradict each other.
    pub fn frame(&self) -> Result<Frame<'_>> {
        Frame::new(&self.data, self.width, self.height, self.width as usize * 3, PixelFormat::Rgb8)
    }
}

fn read(path: &Path, name: &str) -> Result<Vec<u8>> {
    let io = |source| Error::io(ErrorKind::Input, name.to_owned(), source);
    if !path.exists() {
        return Err(Error::input(name, "nothing there", EXPECTED));
    }
    if !path.is_file() {
        return Err(Error::input(name, "something other than a regular file", EXPECTED));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::input(name, format!("more than {MAX_BYTES} bytes"), EXPECTED));
    }
    Ok(bytes)
}

/// 8-bit RGB; an alpha channel is composed over white: `(a · colour + (255 − a) · 255 + 127) / 255`.
pub(super) fn opaque(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (out, pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [r, g, b, alpha] = pixel.0.map(u32::from);
        *out = Rgb([r, g, b].map(|colour| ((alpha * colour + (255 - alpha) * 255 + 127) / 255) as u8));
    }
    rgb
}
