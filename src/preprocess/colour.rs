//! Any pixel format to RGB, row by row.

use crate::error::Result;
use crate::frame::{Frame, PixelFormat, Range};
use edgeclip_kernels::colour::{Matrix, Row, Yuv, interleaved, planes};

/// The pixels of `frame` as packed RGB rows without padding: `height · width · 3` bytes.
///
/// # Errors
/// [`Error::Input`](crate::error::Error::Input) if the frame's sizes contradict each other, or `EDGECLIP_ISA`
/// names no instruction set of this CPU.
pub(crate) fn rgb(frame: &Frame<'_>) -> Result<Vec<u8>> {
    frame.check()?;
    let isa = super::isa()?;
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut rgb = vec![0; width * height * 3];
    let mut buffer = vec![0; width * 3];
    for (y, out) in rgb.chunks_exact_mut(width * 3).enumerate() {
        if let Row::Rgb(row) = row(frame, y) {
            out.copy_from_slice(&row[..width * 3]);
            continue;
        }
        let (red, rest) = buffer.split_at_mut(width);
        let (green, blue) = rest.split_at_mut(width);
        planes(isa, row(frame, y), [red, green, blue]);
        interleaved(isa, width, &buffer, out);
    }
    Ok(rgb)
}

/// Row `y` of a frame that has passed [`Frame::check`].
pub(super) fn row<'a>(frame: &Frame<'a>, y: usize) -> Row<'a> {
    let (height, stride) = (frame.height as usize, frame.stride);
    let row = &frame.data[y * stride..];
    match frame.format {
        PixelFormat::Rgb8 => Row::Rgb(row),
        PixelFormat::Bgr8 => Row::Bgr(row),
        PixelFormat::Grey8 => Row::Grey(row),
        PixelFormat::Yuyv(range) => Row::Yuv(Yuv::Yuyv(row), matrix(range)),
        PixelFormat::Uyvy(range) => Row::Yuv(Yuv::Uyvy(row), matrix(range)),
        PixelFormat::Nv12(range) => {
            let chroma = &frame.data[(height + y / 2) * stride..];
            Row::Yuv(Yuv::Nv12([row, chroma]), matrix(range))
        }
        PixelFormat::Yu12(range) => {
            let plane = |first: usize| &frame.data[height * stride + (first + y / 2) * (stride / 2)..];
            Row::Yuv(Yuv::Yu12([row, plane(0), plane(height.div_ceil(2))]), matrix(range))
        }
    }
}

fn matrix(range: Range) -> &'static Matrix {
    match range {
        Range::Limited => &Matrix::LIMITED,
        Range::Full => &Matrix::FULL,
    }
}

#[cfg(test)]
#[path = "colour_tests.rs"]
mod tests;
