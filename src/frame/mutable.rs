//! Pixels of any layout that are changed in place.

use std::ops::Range;

use super::{Frame, PixelFormat, Range as Levels};
use crate::error::Result;

/// A picture in memory of which pixels may be changed.
#[derive(Debug)]
pub(crate) struct FrameMut<'a> {
    data: &'a mut [u8],
    width: u32,
    height: u32,
    stride: usize,
    format: PixelFormat,
}

impl<'a> FrameMut<'a> {
    /// Same as [`Frame::new`].
    ///
    /// # Errors
    /// Same as [`Frame::new`].
    pub(crate) fn new(
        data: &'a mut [u8],
        width: u32,
        height: u32,
        stride: usize,
        format: PixelFormat,
    ) -> Result<Self> {
        Frame::new(data, width, height, stride, format)?;
        Ok(Self { data, width, height, stride, format })
    }

    /// Width and height in pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Blackens the pixels from `left` to `right`, exclusive, of row `y`, and takes the colour of the neighbours
    /// that share theirs.
    pub(crate) fn blacken(&mut self, y: u32, left: u32, right: u32) {
        let (y, height, stride) = (y as usize, self.height as usize, self.stride);
        let (left, right) = (left.min(self.width) as usize, right.min(self.width) as usize);
        if left >= right || y >= height {
            return;
        }
        let row = y * stride;
        // Pairs of pixels in this row, and their places in the rows of U and V.
        let (first, last) = (left / 2, right.div_ceil(2));
        match self.format {
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => self.fill(row + left * 3..row + right * 3, 0),
            PixelFormat::Grey8 => self.fill(row + left..row + right, 0),
            PixelFormat::Yuyv(range) => self.fill_pairs(row, left..right, [black(range), NEUTRAL]),
            PixelFormat::Uyvy(range) => self.fill_pairs(row, left..right, [NEUTRAL, black(range)]),
            PixelFormat::Nv12(range) => {
                self.fill(row + left..row + right, black(range));
                let chroma = (height + y / 2) * stride;
                self.fill(chroma + 2 * first..chroma + 2 * last, NEUTRAL);
            }
            PixelFormat::Yu12(range) => {
                self.fill(row + left..row + right, black(range));
                for plane in [0, height.div_ceil(2)] {
                    let chroma = height * stride + (plane + y / 2) * (stride / 2);
                    self.fill(chroma + first..chroma + last, NEUTRAL);
                }
            }
        }
    }

    fn fill(&mut self, bytes: Range<usize>, value: u8) {
        if let Some(bytes) = self.data.get_mut(bytes) {
            bytes.fill(value);
        }
    }

    /// Pixels of two bytes in the row that begins at `row`; a pixel shares its colour with the other of its pair.
    fn fill_pairs(&mut self, row: usize, pixels: Range<usize>, value: [u8; 2]) {
        let bytes = |pixels: Range<usize>| row + 2 * pixels.start..row + 2 * pixels.end;
        let inside = self.data.get_mut(bytes(pixels.clone())).unwrap_or_default();
        inside.as_chunks_mut::<2>().0.fill(value);
        for lone in [pixels.start, pixels.end].into_iter().filter(|pixel| pixel % 2 == 1) {
            // The first of the pair is outside where the run begins, the second where it ends.
            let other = if lone == pixels.start { lone - 1 } else { lone };
            let other = self.data.get_mut(bytes(other..other + 1)).unwrap_or_default();
            for (byte, value) in other.iter_mut().zip(value).filter(|(_, value)| *value == NEUTRAL) {
                *byte = value;
            }
        }
    }

    /// The picture as it is now.
    pub(crate) fn into_frame(self) -> Frame<'a> {
        let Self { data, width, height, stride, format } = self;
        Frame { data, width, height, stride, format }
    }
}

/// U and V without colour.
const NEUTRAL: u8 = 128;

/// Y of black.
fn black(range: Levels) -> u8 {
    match range {
        Levels::Limited => 16,
        Levels::Full => 0,
    }
}
