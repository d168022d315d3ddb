//! Every pixel format to RGB, row by row; chroma is repeated, not interpolated.

use crate::frame::{Frame, PixelFormat, Range};

/// The pixels of `frame` as rows of red, green, blue without padding. `frame` must have passed [`Frame::check`].
pub(super) fn rgb(frame: &Frame<'_>) -> Vec<u8> {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let mut rgb = vec![0; width * height * 3];
    for (y, out) in rgb.chunks_exact_mut(width * 3).enumerate() {
        let luma = &frame.data[y * frame.stride..];
        match frame.format {
            PixelFormat::Rgb8 => out.copy_from_slice(&luma[..width * 3]),
            PixelFormat::Bgr8 => {
                for (out, pixel) in out.chunks_exact_mut(3).zip(luma.chunks_exact(3)) {
                    out.copy_from_slice(&[pixel[2], pixel[1], pixel[0]]);
                }
            }
            PixelFormat::Grey8 => {
                for (out, grey) in out.chunks_exact_mut(3).zip(luma) {
                    out.fill(*grey);
                }
            }
            PixelFormat::Yuyv(range) => {
                let pairs = luma.chunks_exact(4).map(|p| ([p[0], p[2]], p[1], p[3]));
                write_pairs(out, Matrix::of(range), pairs);
            }
            PixelFormat::Uyvy(range) => {
                let pairs = luma.chunks_exact(4).map(|p| ([p[1], p[3]], p[0], p[2]));
                write_pairs(out, Matrix::of(range), pairs);
            }
            PixelFormat::Nv12(range) => {
                let chroma = &frame.data[(height + y / 2) * frame.stride..];
                let pairs = lumas(&luma[..width]).zip(chroma.chunks_exact(2)).map(|(y, c)| (y, c[0], c[1]));
                write_pairs(out, Matrix::of(range), pairs);
            }
            PixelFormat::Yu12(range) => {
                let (stride, rows) = (frame.stride / 2, height.div_ceil(2));
                let u = &frame.data[height * frame.stride + y / 2 * stride..];
                let v = &frame.data[height * frame.stride + (rows + y / 2) * stride..];
                let pairs = lumas(&luma[..width]).zip(u.iter().zip(v)).map(|(y, (u, v))| (y, *u, *v));
                write_pairs(out, Matrix::of(range), pairs);
            }
        }
    }
    rgb
}

/// Two Y at a time; the last is repeated where a row has an odd number.
fn lumas(row: &[u8]) -> impl Iterator<Item = [u8; 2]> + '_ {
    row.chunks(2).map(|pair| [pair[0], pair[pair.len() - 1]])
}

/// Writes pairs of pixels that share U and V; of the last pair only as many as there is room for.
fn write_pairs(out: &mut [u8], matrix: &Matrix, pairs: impl Iterator<Item = ([u8; 2], u8, u8)>) {
    for (out, (luma, u, v)) in out.chunks_mut(6).zip(pairs) {
        for (out, y) in out.chunks_exact_mut(3).zip(luma) {
            out.copy_from_slice(&matrix.rgb(y, u, v));
        }
    }
}

/// ITU-R BT.601 with 16 fractional bits: `R = y·(Y − black) + r_v·(V − 128)` and so on, rounded to nearest, clamped.
struct Matrix {
    black: i32,
    y: i32,
    r_v: i32,
    g_u: i32,
    g_v: i32,
    b_u: i32,
}

impl Matrix {
    /// Y spans 219 steps, U and V 224: `y = 255/219`, `r_v = 1.402 · 255/224`, `b_u = 1.772 · 255/224`.
    const LIMITED: Self = Self { black: 16, y: 76_309, r_v: 104_597, g_u: 25_675, g_v: 53_279, b_u: 132_201 };
    /// JFIF: all span 255 steps.
    const FULL: Self = Self { black: 0, y: 65_536, r_v: 91_881, g_u: 22_554, g_v: 46_802, b_u: 116_130 };

    fn of(range: Range) -> &'static Self {
        match range {
            Range::Limited => &Self::LIMITED,
            Range::Full => &Self::FULL,
        }
    }

    #[inline(always)]
    fn rgb(&self, y: u8, u: u8, v: u8) -> [u8; 3] {
        let luma = self.y * (i32::from(y) - self.black) + (1 << 15);
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        let sums = [luma + self.r_v * v, luma - self.g_u * u - self.g_v * v, luma + self.b_u * u];
        sums.map(|sum| (sum >> 16).clamp(0, 255) as u8)
    }
}

#[cfg(test)]
#[path = "colour_tests.rs"]
mod tests;
