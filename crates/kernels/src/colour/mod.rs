//! Converts a row of pixels in any camera format to red, green and blue planes; chroma is
//! repeated, not interpolated.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod matrix;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

pub use matrix::Matrix;

use super::isa::Level;
use super::{Isa, layout};

/// The bytes of one row of pixels; there may be more bytes than the pixels need.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    /// Red, green, blue.
    Rgb(&'a [u8]),
    /// Blue, green, red.
    Bgr(&'a [u8]),
    /// One byte per pixel.
    Grey(&'a [u8]),
    /// Luma and chroma, and the matrix that converts them.
    Yuv(Yuv<'a>, &'a Matrix),
}

/// A row in which two neighbouring pixels share U and V; with an odd number of pixels the
/// last one has its own.
#[derive(Debug, Clone, Copy)]
pub enum Yuv<'a> {
    /// Y₀, U, Y₁, V.
    Yuyv(&'a [u8]),
    /// U, Y₀, V, Y₁.
    Uyvy(&'a [u8]),
    /// Y; U and V alternating.
    Nv12([&'a [u8]; 2]),
    /// Y; U; V.
    Yu12([&'a [u8]; 3]),
}

impl Row<'_> {
    /// The row without its first `pixels`, an even number.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn skip(self, pixels: usize) -> Self {
        match self {
            Self::Rgb(row) => Self::Rgb(&row[3 * pixels..]),
            Self::Bgr(row) => Self::Bgr(&row[3 * pixels..]),
            Self::Grey(row) => Self::Grey(&row[pixels..]),
            Self::Yuv(row, matrix) => {
                let row = match row {
                    Yuv::Yuyv(row) => Yuv::Yuyv(&row[2 * pixels..]),
                    Yuv::Uyvy(row) => Yuv::Uyvy(&row[2 * pixels..]),
                    Yuv::Nv12(planes) => Yuv::Nv12(planes.map(|plane| &plane[pixels..])),
                    Yuv::Yu12([y, u, v]) => Yuv::Yu12([&y[pixels..], &u[pixels / 2..], &v[pixels / 2..]]),
                };
                Self::Yuv(row, matrix)
            }
        }
    }
}

/// Writes the first `out[0].len()` pixels of `row` as red, green and blue, each 0 to 255. The three planes
/// are of equal length, and `row` has at least as many pixels.
///
/// # Panics
/// May panic if a plane or `row` is shorter.
pub fn planes(isa: Isa, row: Row<'_>, out: [&mut [u8]; 3]) {
    match isa.level() {
        Level::Scalar => scalar::planes(row, out),
        // SAFETY: all of this CPU's instruction sets but scalar have AVX2.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { avx2::planes(row, out) },
        #[cfg(target_arch = "aarch64")]
        _ => neon::planes(row, out),
    }
}

/// Interleaves three consecutive planes into pixels: `out[3i + c] = planes[c · plane + i]`.
///
/// # Panics
/// If `planes` is too short.
pub fn interleaved(isa: Isa, plane: usize, planes: &[u8], out: &mut [u8]) {
    // SAFETY: u8 and i8 have the same size and no invalid values; the new slices keep the
    // borrows of the old ones.
    let (planes, out) = unsafe {
        (
            std::slice::from_raw_parts(planes.as_ptr().cast(), planes.len()),
            std::slice::from_raw_parts_mut(out.as_mut_ptr().cast(), out.len()),
        )
    };
    layout::interleaved(isa, 3, plane, planes, out);
}

#[cfg(test)]
mod tests;
