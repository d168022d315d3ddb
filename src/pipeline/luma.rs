//! How bright the pixels of a frame are, in any format.

use crate::frame::{Frame, PixelFormat};

/// Brightness of pixels: Y where there is one, else green.
pub(crate) struct Luma<'a> {
    data: &'a [u8],
    stride: usize,
    step: usize,
    offset: usize,
}

impl<'a> Luma<'a> {
    /// `None` if the frame contradicts itself.
    pub(crate) fn of(frame: &Frame<'a>) -> Option<Self> {
        frame.check().ok()?;
        let (step, offset) = match frame.format {
            PixelFormat::Rgb8 | PixelFormat::Bgr8 => (3, 1),
            PixelFormat::Yuyv(_) => (2, 0),
            PixelFormat::Uyvy(_) => (2, 1),
            PixelFormat::Grey8 | PixelFormat::Nv12(_) | PixelFormat::Yu12(_) => (1, 0),
        };
        Some(Self { data: frame.data, stride: frame.stride, step, offset })
    }

    /// The bytes from row `y` on.
    pub(crate) fn row(&self, y: usize) -> Option<&'a [u8]> {
        self.data.get(y * self.stride..)
    }

    /// The brightness of pixel `x` of a row; `None` outside.
    pub(crate) fn at(&self, row: &[u8], x: usize) -> Option<u8> {
        row.get(x * self.step + self.offset).copied()
    }

    /// Adds to each of `sums` the brightness of a pixel of a row, from pixel `first` on.
    pub(crate) fn add_each(&self, row: &[u8], first: usize, sums: &mut [u32]) {
        let pixels = row.get(first * self.step + self.offset..).unwrap_or_default();
        match self.step {
            1 => sums.iter_mut().zip(pixels).for_each(|(sum, value)| *sum += u32::from(*value)),
            step => {
                sums.iter_mut()
                    .zip(pixels.iter().step_by(step))
                    .for_each(|(sum, value)| *sum += u32::from(*value));
            }
        }
    }

    /// The sum of every `every`th of the pixels of a row from `first` up to `end`.
    pub(crate) fn sum(&self, row: &[u8], first: usize, end: usize, every: usize) -> u32 {
        let pixels = row.get(first * self.step..(end * self.step).min(row.len())).unwrap_or_default();
        pixels.iter().skip(self.offset).step_by(every * self.step).map(|value| u32::from(*value)).sum()
    }
}
