//! NEON: 16 pixels at a time.

use std::arch::aarch64::*;

use super::matrix::{Matrix, Split};
use super::{Row, Yuv, scalar};

/// Pixels per block.
const SIDE: usize = 16;

/// Same as the specification, which handles the last pixels.
pub(super) fn planes(row: Row<'_>, mut out: [&mut [u8]; 3]) {
    let done = blocks(row, out.each_mut().map(|plane| &mut **plane));
    scalar::planes(row.skip(done), out.map(|plane| &mut plane[done..]));
}

/// Returns the number of pixels done, which is even.
fn blocks(row: Row<'_>, [red, green, blue]: [&mut [u8]; 3]) -> usize {
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

/// Eight pairs from pixel `x` on: the first Y, the second Y, U, V.
#[inline(always)]
fn read(row: Yuv<'_>, x: usize) -> [uint8x8_t; 4] {
    // SAFETY: the slices are as long as what is loaded.
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

/// Chroma's share of red, green or blue for eight pairs.
#[derive(Clone, Copy)]
struct Share {
    /// Products with the parts of the factors, in 32 bits.
    parts: [int32x4_t; 2],
    /// Products with the wholes.
    whole: int16x8_t,
}

/// Red, green and blue of the first and of the second pixels.
#[inline(always)]
fn rgb([first, second, u, v]: [uint8x8_t; 4], matrix: &Matrix) -> [[uint8x8_t; 3]; 2] {
    let (u, v) = (less(u, 128), less(v, 128));
    let green = share(v, Split::of(matrix.g_v));
    let (u_part, [low, high]) = (Split::of(matrix.g_u).part, green.parts);
    // SAFETY: NEON is part of every aarch64 target. The whole part of U's factor for green is 0.
    let parts = unsafe { [vmlal_n_s16(low, vget_low_s16(u), u_part), vmlal_high_n_s16(high, u, u_part)] };
    let shares = [share(v, Split::of(matrix.r_v)), Share { parts, ..green }, share(u, Split::of(matrix.b_u))];
    [coloured(first, shares, matrix), coloured(second, shares, matrix)]
}

#[inline(always)]
fn less(bytes: uint8x8_t, zero: u8) -> int16x8_t {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe { vreinterpretq_s16_u16(vsubl_u8(bytes, vdup_n_u8(zero))) }
}

#[inline(always)]
fn share(words: int16x8_t, factor: Split) -> Share {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe {
        let low = vmull_n_s16(vget_low_s16(words), factor.part);
        Share { parts: [low, vmull_high_n_s16(words, factor.part)], whole: vmulq_n_s16(words, factor.whole) }
    }
}

/// Pixels with one luma each. Sums of parts are shifted by 16 bits with rounding; wholes
/// are added afterwards.
#[inline(always)]
fn coloured(luma: uint8x8_t, [red, green, blue]: [Share; 3], matrix: &Matrix) -> [uint8x8_t; 3] {
    let luma = less(luma, matrix.black as u8);
    // The whole part of luma's factor is 1.
    let luma = Share { whole: luma, ..share(luma, Split::of(matrix.y)) };
    [sum(luma, red), sum(luma, green), sum(luma, blue)]
}

#[inline(always)]
fn sum(luma: Share, chroma: Share) -> uint8x8_t {
    // SAFETY: NEON is part of every aarch64 target.
    unsafe {
        let rounded = vrshrn_n_s32::<16>(vaddq_s32(luma.parts[0], chroma.parts[0]));
        let rounded = vrshrn_high_n_s32::<16>(rounded, vaddq_s32(luma.parts[1], chroma.parts[1]));
        vqmovun_s16(vaddq_s16(vaddq_s16(luma.whole, chroma.whole), rounded))
    }
}
