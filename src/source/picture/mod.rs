//! One picture file, decoded.

mod colour;
mod decode;
mod foreign;
mod rgb;
mod rows;
mod scaled;

use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;

pub(super) use colour::{Profile, profile};
pub(super) use foreign::{converter, is_foreign};
pub(super) use rgb::opaque;

use super::limits::{self, Limits};
use crate::error::{Error, ErrorKind, Result};
use crate::frame::{Frame, FrameMut, PixelFormat};

/// Longest picture file in bytes, in any case.
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
    /// of an animation, transparency over white, colours of an RGB or grey profile converted to sRGB. A JPEG
    /// that would take more memory than there should be for a picture (`max_picture_mb` of `edgeclip run`; by
    /// default half of what is available, at most 400 MB) is decoded at 1/2, 1/4 or 1/8 of its size. One whose header states
    /// other rows than its data holds becomes a picture of those that are there.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read, is empty, not a picture, cut short, larger than 100 megapixels,
    /// or takes too much memory.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let (path, limits) = (path.as_ref(), limits::current());
        let name = path.display().to_string();
        let (bytes, _) = read(path, &name, &limits)?;
        Self::decode_within(name, &bytes, &limits)
    }

    /// Decodes the contents of a picture file; `name` is for errors. Otherwise same as [`Picture::open`].
    ///
    /// # Errors
    /// [`Error::Input`], same as [`Picture::open`].
    pub fn decode(name: String, bytes: &[u8]) -> Result<Self> {
        Self::decode_within(name, bytes, &limits::current())
    }

    /// Same as [`Picture::decode`] within `limits`.
    ///
    /// # Errors
    /// [`Error::Input`], same as [`Picture::open`].
    pub(super) fn decode_within(name: String, bytes: &[u8], limits: &Limits) -> Result<Self> {
        decode::decode(name, bytes, limits)
    }

    /// The picture as a frame.
    ///
    /// # Errors
    /// [`Error::Input`] if the public fields were changed and contradict each other.
    pub fn frame(&self) -> Result<Frame<'_>> {
        Frame::new(&self.data, self.width, self.height, self.width as usize * 3, PixelFormat::Rgb8)
    }

    /// The picture as a frame whose pixels may be changed.
    ///
    /// # Errors
    /// Same as [`Picture::frame`].
    pub(crate) fn frame_mut(&mut self) -> Result<FrameMut<'_>> {
        let Self { width, height, ref mut data, .. } = *self;
        FrameMut::new(data, width, height, width as usize * 3, PixelFormat::Rgb8)
    }
}

/// The contents of a picture file, and what is known about the very file that they were read from.
///
/// # Errors
/// [`Error::Input`] or [`Error::Io`]: `name` cannot be read, or is too long.
pub(super) fn read(path: &Path, name: &str, limits: &Limits) -> Result<(Vec<u8>, Metadata)> {
    let io = |source| Error::io(ErrorKind::Input, name.to_owned(), source);
    if !path.exists() {
        return Err(Error::input(name, "nothing there", EXPECTED));
    }
    // Opening a pipe would wait for its writer.
    if !path.is_file() {
        return Err(Error::input(name, "something other than a regular file", EXPECTED));
    }
    let most = MAX_BYTES.min(limits.bytes);
    let file = File::open(path).map_err(io)?;
    let about = file.metadata().map_err(io)?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > most {
        return Err(Error::input(name, format!("more than {most} bytes"), limits.advice()));
    }
    Ok((bytes, about))
}
