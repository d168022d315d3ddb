//! NEON: 16 values at a time; in the horizontal pass, one from each of 16 rows.

use std::arch::aarch64::*;

use super::coefficients::{Axis, FRACTION_BITS, LOW_BITS, Pair};
use super::{BLOCK, Rows};

/// Rows are transposed and transposed back, because all values of a column have the same weights.
pub(super) fn horizontal(axis: &Axis, from: Rows<&[u8]>, to: Rows<&mut [u8]>, turned: &mut [u8]) {
    assert!(from.bytes.len() >= BLOCK * 3 * from.width && turned.len() >= BLOCK * from.width);
    assert!(
        to.bytes.len() >= BLOCK * 3 * to.width && to.width.is_multiple_of(BLOCK) && axis.len() <= to.width
    );
    // SAFETY: NEON is part of every aarch64 target.
    let zero = unsafe { vdupq_n_u8(0) };
    for channel in 0..3 {
        for start in (0..from.width).step_by(BLOCK) {
            let mut tile = [zero; BLOCK];
            for (y, row) in tile.iter_mut().enumerate() {
                // SAFETY: 16 bytes of each row, as asserted.
                *row = unsafe { vld1q_u8(from.bytes.as_ptr().add((3 * y + channel) * from.width + start)) };
            }
            for (column, x) in transposed(tile).into_iter().zip(start..) {
                // SAFETY: 16 bytes of each column, as asserted.
                unsafe { vst1q_u8(turned.as_mut_ptr().add(BLOCK * x), column) };
            }
        }
        for start in (0..axis.len()).step_by(BLOCK) {
            let mut tile = [zero; BLOCK];
            for (column, x) in tile.iter_mut().zip(start..axis.len()) {
                *column = weighed(axis.pairs(x), &turned[axis.first(x) * BLOCK..], BLOCK);
            }
            for (y, row) in transposed(tile).into_iter().enumerate() {
                // SAFETY: 16 bytes of each row, as asserted.
                unsafe { vst1q_u8(to.bytes.as_mut_ptr().add((3 * y + channel) * to.width + start), row) };
            }
        }
    }
}

pub(super) fn vertical(weights: &[Pair], from: Rows<&[u8]>, to: &mut [i8]) {
    for (x, to) in (0..).step_by(BLOCK).zip(to.chunks_mut(BLOCK)) {
        // SAFETY: NEON; 16 bytes.
        unsafe {
            // Flipping the top bit subtracts 128 in two's complement.
            let values = vreinterpretq_s8_u8(veorq_u8(
                weighed(weights, &from.bytes[x..], 3 * from.width),
                vdupq_n_u8(0x80),
            ));
            if to.len() == BLOCK {
                vst1q_s8(to.as_mut_ptr(), values);
            } else {
                let mut all = [0; BLOCK];
                vst1q_s8(all.as_mut_ptr(), values);
                to.copy_from_slice(&all[..to.len()]);
            }
        }
    }
}

/// For each of 16 bytes, the weighted sum of the bytes `step` apart from there on, rounded and
/// clamped to a byte.
#[inline(always)]
fn weighed(weights: &[Pair], from: &[u8], step: usize) -> uint8x16_t {
    assert!(from.len() >= (2 * weights.len() - 1) * step + BLOCK);
    // SAFETY: NEON is part of every aarch64 target; the loads are within the range asserted above.
    unsafe {
        let mut upper = [vdupq_n_u32(0); 4];
        let mut lower = [vdupq_n_u32(1 << (FRACTION_BITS - 1)); 4];
        let mut at = from.as_ptr();
        for pair in weights {
            let weights = vreinterpret_u16_s16(vld1_s16(pair.as_ptr()));
            let quarters = |bytes| {
                let (low, high) = (vmovl_u8(vget_low_u8(bytes)), vmovl_high_u8(bytes));
                [vget_low_u16(low), vget_high_u16(low), vget_low_u16(high), vget_high_u16(high)]
            };
            let (a, b) = (quarters(vld1q_u8(at)), quarters(vld1q_u8(at.add(step))));
            at = at.wrapping_add(2 * step);
            for quarter in 0..4 {
                upper[quarter] = vmlal_lane_u16::<0>(upper[quarter], a[quarter], weights);
                lower[quarter] = vmlal_lane_u16::<2>(lower[quarter], a[quarter], weights);
                upper[quarter] = vmlal_lane_u16::<1>(upper[quarter], b[quarter], weights);
                lower[quarter] = vmlal_lane_u16::<3>(lower[quarter], b[quarter], weights);
            }
        }
        // Shifted in two steps, as a narrowing shift moves by at most 16 bits.
        let mut words = [vdup_n_u16(0); 4];
        for ((words, upper), lower) in words.iter_mut().zip(upper).zip(lower) {
            *words = vshrn_n_u32::<16>(vaddq_u32(vshlq_n_u32::<{ LOW_BITS as i32 }>(upper), lower));
        }
        let bytes = |low, high| vqshrn_n_u16::<{ FRACTION_BITS as i32 - 16 }>(vcombine_u16(low, high));
        vcombine_u8(bytes(words[0], words[1]), bytes(words[2], words[3]))
    }
}

/// Transposes: byte j of row i becomes byte i of row j. Four times, rows i and i + 8 are
/// interleaved byte by byte.
#[inline(always)]
fn transposed(mut rows: [uint8x16_t; BLOCK]) -> [uint8x16_t; BLOCK] {
    for _ in 0..4 {
        let from = rows;
        for i in 0..BLOCK / 2 {
            // SAFETY: NEON is part of every aarch64 target.
            unsafe {
                rows[2 * i] = vzip1q_u8(from[i], from[i + BLOCK / 2]);
                rows[2 * i + 1] = vzip2q_u8(from[i], from[i + BLOCK / 2]);
            }
        }
    }
    rows
}
