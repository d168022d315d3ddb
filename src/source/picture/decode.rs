//! From the bytes of a picture file to upright RGB pixels, within a limit of memory.

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder, ImageError};

use super::{EXPECTED, Picture, colour, foreign, rgb, rows, scaled};
use crate::error::{Error, Result};
use crate::source::jpeg::whole;
use crate::source::kind::{self, FileKind};
use crate::source::limits::Limits;

/// Most bytes of what a PNG holds besides its pixels.
const MOST_METADATA: u64 = 16 << 20;

/// Decodes a picture file; see [`Picture::open`].
///
/// # Errors
/// [`Error::Input`]
pub(super) fn decode(name: String, bytes: &[u8], limits: &Limits) -> Result<Picture> {
    if bytes.is_empty() {
        return Err(Error::input(name, "an empty file", EXPECTED));
    }
    let broken = |error: ImageError| refusal(&name, &error, limits);
    let kind = kind::of(bytes);
    let whole = match kind {
        FileKind::Jpeg => whole(bytes).ok_or_else(|| {
            Error::input(&name, "a picture cut short (no end-of-image marker)", "a whole JPEG file")
        })?,
        FileKind::Png => ended(bytes),
        _ => bytes.into(),
    };
    let whole = match kind {
        FileKind::Jpeg => rows::as_there(&name, whole)?,
        _ => whole,
    };
    let file = Cursor::new(&*whole);
    let image_limits = limits.of_image(MOST_METADATA);
    let mut decoder: Box<dyn ImageDecoder> = match kind {
        FileKind::Jpeg => Box::new(JpegDecoder::new(file).map_err(broken)?),
        FileKind::Png => Box::new(PngDecoder::with_limits(file, image_limits).map_err(broken)?),
        FileKind::Gif => Box::new(GifDecoder::new(file).map_err(broken)?),
        FileKind::WebP if foreign::is_widest_webp(bytes) => return Err(foreign::widest_webp(&name)),
        FileKind::WebP => Box::new(WebPDecoder::new(file).map_err(broken)?),
        FileKind::Bmp => Box::new(BmpDecoder::new(file).map_err(broken)?),
        _ => return Err(foreign::refusal(&name, bytes)),
    };
    let size = decoder.dimensions();
    limits.check_named(&name, size, 0)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let profile = colour::profile(&mut *decoder, kind, bytes);
    let turned = if orientation.to_exif() > 4 { 2 } else { 1 };
    let pixels = u64::from(size.0) * u64::from(size.1);
    let total = decoder.total_bytes();
    let working = match kind {
        FileKind::Jpeg => scaled::working_bytes(&whole),
        // A frame that does not fill the picture, and planes of Y, U and V, are decoded apart.
        FileKind::Gif | FileKind::WebP => total,
        _ => 0,
    };
    let grey = if decoder.color_type().bytes_per_pixel() < 3 { total } else { 0 };
    let cost = (total + working).max(grey + 3 * turned * pixels) + 2 * bytes.len() as u64;
    let rgb = if kind == FileKind::Jpeg && cost > limits.bytes {
        drop(decoder);
        scaled::decode(&name, &whole, turned, profile.as_ref(), limits)?
    } else {
        limits.check_named(&name, size, cost)?;
        let colour = decoder.color_type();
        let mut buffer = vec![0; usize::try_from(total).unwrap_or_default()];
        decoder.read_image(&mut buffer).map_err(broken)?;
        rgb::picture(size, buffer, colour, profile.as_ref())
            .ok_or_else(|| Error::input(&name, format!("a broken picture ({colour:?})"), EXPECTED))?
    };
    let mut upright = DynamicImage::ImageRgb8(rgb);
    upright.apply_orientation(orientation);
    let rgb = upright.into_rgb8();
    let (width, height) = rgb.dimensions();
    Ok(Picture { name, width, height, data: rgb.into_raw() })
}

/// The last chunk of every PNG file.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xaeB`\x82";

/// A PNG file with its last chunk. Where only that is missing, every pixel is there; where more is, the one that is put there does
/// not make up for it.
fn ended(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.windows(PNG_END.len()).rev().any(|chunk| chunk == PNG_END) {
        return bytes.into();
    }
    // A part of it, as a transfer may leave it.
    let parts = (1..PNG_END.len()).rev().filter_map(|length| bytes.strip_suffix(PNG_END.get(..length)?));
    // Zeros alone may be a chunk's.
    let bare = parts.into_iter().find(|bare| bytes.len() - bare.len() > 4).unwrap_or(bytes);
    [bare, PNG_END].concat().into()
}

/// An error of a decoder as one of the picture `name`.
fn refusal(name: &str, error: &ImageError, limits: &Limits) -> Error {
    match error {
        ImageError::Unsupported(_) => Error::input(name, format!("no picture ({error})"), EXPECTED),
        ImageError::Limits(_) => {
            Error::input(name, "a picture that takes too much memory to decode", limits.advice())
        }
        _ => Error::input(name, format!("a broken picture ({error})"), EXPECTED),
    }
}
