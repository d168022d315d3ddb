//! NEON: 16 pixels at a time.

use std::arch::aarch64::*;

use super::matrix::{Matrix, Split};
use super::{Row, Yuv};

/// Pixels of a block.
const SIDE: usize = 16;

/// As the specification, for as many pixels as it returns, an even number.
pub(super) fn planes(row: Row<'_>, [red, green, blue]: [&mut [u8]; 3]) -> usize {
    match row {
        Row::Rgb(row) => spread(row, [red, green, blue]),
        Row::Bgr(row) => spread(row, [blue, green, red]),
        Row::Grey(_) => 0,
        Row::Yuv(row, matrix) => yuv(row, matrix, [red, green, blue]),
    }
}

fn spread(row: &[u8], [first, second, third]: [&mut [u8]; 3]) -> usize {
    let done = first.len() / SIDE * SIDE;
    let out =
        first.chunks_exact_mut(SIDE).zip(second.chunks_exact_mut(SIDE)).zip(third.chunks_exact_mut(SIDE));
    for (((first, second), third), from) in out.zip(row[..3 * done].chunks_exact(3 * SIDE)) {
        // SAFETY: 16 pixels each.
        unsafe {
            let uint8x16x3_t(a, b, c) = vld3q_u8(from.as_ptr());
            vst1q_u8(first.as_mut_ptr(), a);
            vst1q_u8(second.as_mut_ptr(), b);
            vst1q_u8(third.as_mut_ptr(), c);
        }
    }
    done
}

fn yuv(row: Yuv<'_>, matrix: &Matrix, [red, green, blue]: [&mut [u8]; 3]) -> usize {
    let done = red.len() / SIDE * SIDE;
    let out = red.chunks_exact_mut(SIDE).zip(green.chunks_exact_mut(SIDE)).zip(blue.chunks_exact_mut(SIDE));
    for (at, ((red, green), blue)) in out.enumerate() {
        let [first, second] = rgb(read(row, at * SIDE), matrix);
        for (channel, to) in [red, green, blue].into_iter().enumerate() {
            // SAFETY: 16 pixels.
            unsafe { vst2_u8(to.as_mut_ptr(), uint8x8x2_t(first[channel], second[channel])) };
        }
    }
    done
}

/// Of eight pairs from pixel `x` on: the first Y, the second, U, V.
#[inline(always)]
fn read(row: Yuv<'_>, x: usize) -> [uint8x8_t; 4] {
    // SAFETY: slices of as many bytes as are loaded.
    unsafe {
        match row {
            Yuv::Yuyv(row) => {
                let uint8x8x4_t(first, u, second, v) = vld4_u8(row[2 * x..][..32].as_ptr());
                [first, second, u, v]
            }
            Yuv::Uyvy(row) => {
                let uint8x8x4_t(u, first, v, second) = vld4_u8(row[2 * x..][..32].as_ptr());
                [first, second, u, v]
            }
            Yuv::Nv12([y, chroma]) => {
                let uint8x8x2_t(first, second) = vld2_u8(y[x..][..16].as_ptr());
                let uint8x8x2_t(u, v) = vld2_u8(chroma[x..][..16].as_ptr());
                [first, second, u, v]
            }
            Yuv::Yu12([y, u, v]) => {
                let uint8x8x2_t(first, second) = vld2_u8(y[x..][..16].as_ptr());
                [first, second, vld1_u8(u[x / 2..][..8].as_ptr()), vld1_u8(v[x / 2..][..8].as_ptr())]
            }
        }
    }
}

/// Red, green and blue of the first and of the second pixels. Each factor is split in two: products with its part are summed in 32
/// bits and shifted by 16 with rounding, those with its whole are added after that.
#[inline(always)]
fn rgb([first, second, u, v]: [uint8x8_t; 4], matrix: &Matrix) -> [[uint8x8_t; 3]; 2] {
    let [y, r_v, g_u, g_v, b_u] = [matrix.y, matrix.r_v, matrix.g_u, matrix.g_v, matrix.b_u].map(Split::of);
    // SAFETY: NEON.
    unsafe {
        let less = |bytes, zero| vreinterpretq_s16_u16(vsubl_u8(bytes, vdup_n_u8(zero)));
        let times = |words, factor: Split| {
            [vmull_n_s16(vget_low_s16(words), factor.part), vmull_high_n_s16(words, factor.part)]
        };
        let (u, v) = (less(u, 128), less(v, 128));
        let [low, high] = times(v, g_v);
        let green = [vmlal_n_s16(low, vget_low_s16(u), g_u.part), vmlal_high_n_s16(high, u, g_u.part)];
        let chroma = [
            (times(v, r_v), vmulq_n_s16(v, r_v.whole)),
            // The whole of U's factor for green is 0, that of luma 1.
            (green, vmulq_n_s16(v, g_v.whole)),
            (times(u, b_u), vmulq_n_s16(u, b_u.whole)),
        ];
        [first, second].map(|luma| {
            let luma = less(luma, matrix.black as u8);
            let [low, high] = times(luma, y);
            chroma.map(|(parts, whole)| {
                let rounded = vrshrn_n_s32::<16>(vaddq_s32(low, parts[0]));
                let rounded = vrshrn_high_n_s32::<16>(rounded, vaddq_s32(high, parts[1]));
                vqmovun_s16(vaddq_s16(vaddq_s16(luma, whole), rounded))
            })
        })
    }
}
