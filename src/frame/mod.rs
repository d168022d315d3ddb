//! A borrowed picture in memory: bytes, size, stride and pixel format.

mod mutable;

pub(crate) use mutable::FrameMut;

use crate::error::{Error, Result};

/// How the bytes of a [`Frame`] encode its pixels. YUV conversion is that of ITU-R BT.601.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// Three bytes per pixel: red, green, blue, sRGB. V4L2's `RGB3`.
    Rgb8,
    /// Three bytes per pixel: blue, green, red. V4L2's `BGR3`.
    Bgr8,
    /// One byte per pixel, black 0 to white 255. V4L2's `GREY`.
    Grey8,
    /// Four bytes per two pixels: Y₀, U, Y₁, V.
    Yuyv(Range),
    /// Four bytes per two pixels: U, Y₀, V, Y₁.
    Uyvy(Range),
    /// A plane of Y, then a plane of interleaved U and V with one pair per 2 × 2 pixels, at the same stride.
    Nv12(Range),
    /// A plane of Y, then U, then V, with one byte of each per 2 × 2 pixels, at half the
    /// stride. Also called I420.
    Yu12(Range),
}

/// Which values of Y, U and V stand for black, white and full saturation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Y from 16 to 235, U and V from 16 to 240: television and most cameras.
    Limited,
    /// All three from 0 to 255: JPEG.
    Full,
}

impl PixelFormat {
    /// Bytes in a row of `width` pixels, of the first plane if there are several; `None` on overflow.
    pub fn row_bytes(self, width: usize) -> Option<usize> {
        match self {
            Self::Rgb8 | Self::Bgr8 => width.checked_mul(3),
            Self::Grey8 => Some(width),
            Self::Yuyv(_) | Self::Uyvy(_) => width.div_ceil(2).checked_mul(4),
            // A row of U, V pairs is as long as a row of Y, rounded up to whole pairs.
            Self::Nv12(_) => width.checked_next_multiple_of(2),
            Self::Yu12(_) => Some(width),
        }
    }

    /// Bytes from the first to the last of a picture whose rows start `stride` bytes apart;
    /// `None` on overflow.
    fn picture_bytes(self, width: usize, height: usize, stride: usize) -> Option<usize> {
        let up_to_last =
            |rows: usize, stride: usize, last: usize| (rows - 1).checked_mul(stride)?.checked_add(last);
        let (chroma_width, chroma_height) = (width.div_ceil(2), height.div_ceil(2));
        match self {
            Self::Nv12(_) => up_to_last(height.checked_add(chroma_height)?, stride, 2 * chroma_width),
            Self::Yu12(_) => {
                let chroma = up_to_last(chroma_height.checked_mul(2)?, stride / 2, chroma_width)?;
                height.checked_mul(stride)?.checked_add(chroma)
            }
            _ => up_to_last(height, stride, self.row_bytes(width)?),
        }
    }
}

/// A borrowed picture, top row first.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// Rows of all planes; the last row needs no padding.
    pub data: &'a [u8],
    /// Pixels per row, at least 1.
    pub width: u32,
    /// Number of rows, at least 1.
    pub height: u32,
    /// Bytes from the start of one row to the start of the next, at least [`PixelFormat::row_bytes`]. In
    /// [`PixelFormat::Yu12`] even, and at least twice the length of a row of U.
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

    /// Checks the sizes again. The fields are public, so code that indexes rows calls this first.
    ///
    /// # Errors
    /// Same as [`Frame::new`].
    pub fn check(&self) -> Result<()> {
        let Self { data, width, height, stride, format } = *self;
        if width == 0 || height == 0 {
            return Err(Error::input("frame", format!("{width}x{height} pixels"), "at least 1x1"));
        }
        let (columns, rows) = (width as usize, height as usize);
        let row = format.row_bytes(columns);
        let halves =
            !matches!(format, PixelFormat::Yu12(_)) || stride % 2 == 0 && stride / 2 >= columns.div_ceil(2);
        if !halves || row.is_none_or(|row| row > stride) {
            let expected = format!("enough for {width} pixels of {format:?}");
            return Err(Error::input("frame", format!("a stride of {stride} bytes"), expected));
        }
        match format.picture_bytes(columns, rows, stride) {
            Some(needed) if needed <= data.len() => Ok(()),
            _ => {
                let expected = format!("enough for {width}x{height} pixels of {format:?} at stride {stride}");
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
    fn planes_are_counted() {
        let fits = |bytes: usize, width, height, stride, format| {
            let data = vec![0; bytes];
            Frame::new(&data, width, height, stride, format).is_ok()
                && Frame::new(&data[1..], width, height, stride, format).is_err()
        };
        assert!(fits(8 + 4, 2, 2, 8, PixelFormat::Yuyv(Range::Limited)));
        assert!(fits(8 + 8, 3, 2, 8, PixelFormat::Uyvy(Range::Limited)));
        assert!(fits(3 * 8 + 8 + 4, 3, 3, 8, PixelFormat::Nv12(Range::Limited)));
        assert!(fits(3 * 8 + 4 * 3 + 2, 3, 3, 8, PixelFormat::Yu12(Range::Full)));
        assert!(fits(8 + 5, 5, 2, 8, PixelFormat::Grey8));
        assert!(fits(8 + 6, 2, 2, 8, PixelFormat::Bgr8));
        // Rows of U cannot start at half of an odd stride.
        assert!(Frame::new(&[0; 99], 3, 3, 5, PixelFormat::Yu12(Range::Full)).is_err());
        assert!(Frame::new(&[0; 99], 3, 3, 3, PixelFormat::Nv12(Range::Full)).is_err());
    }

    #[test]
    fn impossible_sizes_are_rejected() {
        assert!(Frame::new(&[], 0, 1, 8, PixelFormat::Rgb8).is_err());
        assert!(Frame::new(&[0; 8], 1, 0, 8, PixelFormat::Rgb8).is_err());
        assert!(Frame::new(&[0; 99], 3, 2, 8, PixelFormat::Rgb8).is_err());
        assert!(Frame::new(&[0; 8], 2, u32::MAX, usize::MAX, PixelFormat::Rgb8).is_err());
    }
}
