//! A borrowed picture in memory: bytes, size, stride and pixel format.

use crate::error::{Error, Result};

/// How the bytes of a [`Frame`] encode its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// Three bytes a pixel: red, green, blue, sRGB.
    Rgb8,
}

impl PixelFormat {
    /// Bytes of one pixel.
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Rgb8 => 3,
        }
    }
}

/// A picture that somebody else owns, top row first.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// At least `(height − 1) · stride + width · bytes_per_pixel` bytes.
    pub data: &'a [u8],
    /// Pixels a row, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Bytes from the start of one row to the start of the next, at least `width · bytes_per_pixel`.
    pub stride: usize,
    /// How the bytes encode pixels.
    pub format: PixelFormat,
}

impl<'a> Frame<'a> {
    /// Borrows `data` as a frame of `width` × `height` pixels whose rows start `stride` bytes apart.
    ///
    /// # Errors
    /// [`Error::Input`] if a side is zero, the stride is shorter than a row, or `data` is too short.
    pub fn new(data: &'a [u8], width: u32, height: u32, stride: usize, format: PixelFormat) -> Result<Self> {
        let frame = Self { data, width, height, stride, format };
        frame.check()?;
        Ok(frame)
    }

    /// Verifies the sizes again; whoever indexes rows calls it first because the fields are public.
    ///
    /// # Errors
    /// As [`Frame::new`].
    pub fn check(&self) -> Result<()> {
        let Self { data, width, height, stride, format } = *self;
        if width == 0 || height == 0 {
            return Err(Error::input("frame", format!("{width}x{height} pixels"), "at least 1x1"));
        }
        let row = (width as usize).checked_mul(format.bytes_per_pixel());
        let Some(row) = row.filter(|&row| row <= stride) else {
            let expected = format!("at least {width} pixels of {} bytes", format.bytes_per_pixel());
            return Err(Error::input("frame", format!("a stride of {stride} bytes"), expected));
        };
        let needed = (height as usize - 1).checked_mul(stride).and_then(|n| n.checked_add(row));
        match needed {
            Some(needed) if needed <= data.len() => Ok(()),
            _ => {
                let expected = format!("enough for {width}x{height} pixels at stride {stride}");
                Err(Error::input("frame", format!("{} bytes", data.len()), expected))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_needs_no_padding() {
        assert!(Frame::new(&[0; 8 + 6], 2, 2, 8, PixelFormat::Rgb8).is_ok());
        assert!(Frame::new(&[0; 8 + 5], 2, 2, 8, PixelFormat::Rgb8).is_err());
    }

    #[test]
    fn impossible_sizes_are_rejected() {
        assert!(Frame::new(&[], 0, 1, 8, PixelFormat::Rgb8).is_err());
        assert!(Frame::new(&[0; 8], 1, 0, 8, PixelFormat::Rgb8).is_err());
        assert!(Frame::new(&[0; 99], 3, 2, 8, PixelFormat::Rgb8).is_err());
        assert!(Frame::new(&[0; 8], 2, u32::MAX, usize::MAX, PixelFormat::Rgb8).is_err());
    }
}
