//! Without `sdot`: two byte products are added in i16 (`smull`, `smlal2`), then pairs of those
//! in i32 (`sadalp`).
//!
//! If no weight is −128, a product is at most 128 · 127, so two sum to at most 32 512 and fit i16. Otherwise
//! each product is added by itself.

use std::arch::aarch64::*;

use super::{Block, LANES, Pixels, STEP, apart, tiles};
use crate::neon::{add_four, pairs};

/// # Safety
/// Every pixel must be readable up to a whole number of input steps, and the block's
/// channels must be writable.
pub(super) unsafe fn run(block: &Block, pixels: Pixels) {
    // SAFETY: upheld by the caller.
    unsafe { if block.wide { blocks::<true>(block, pixels) } else { blocks::<false>(block, pixels) } }
}

/// # Safety
/// Same as `run`.
unsafe fn blocks<const WIDE: bool>(block: &Block, pixels: Pixels) {
    // SAFETY: upheld by the caller.
    unsafe {
        match block.count.div_ceil(LANES) {
            1 => tiles!(block, pixels, tile, 6, 5, 1, WIDE),
            2 => tiles!(block, pixels, tile, 6, 5, 2, WIDE),
            3 => tiles!(block, pixels, tile, 5, 4, 3, WIDE),
            _ => tiles!(block, pixels, tile, 4, 3, 4, WIDE),
        }
    }
}

/// # Safety
/// Same as `run`, for `PIXELS` pixels; the block has `REGISTERS` registers.
#[inline]
unsafe fn tile<const PIXELS: usize, const REGISTERS: usize, const WIDE: bool>(block: &Block, pixels: Pixels) {
    let mut sums = block.biases::<PIXELS, REGISTERS>();
    // SAFETY: upheld by the caller; the weights have `groups` groups.
    unsafe {
        let rows: [*const i8; PIXELS] = std::array::from_fn(|p| apart(pixels.from.add(p * pixels.stride)));
        let pick: [uint8x16_t; 4] = std::array::from_fn(|g| pairs(g as u8));
        let mut weights = block.weights.as_ptr();
        let mut at = 0;
        for _ in 0..block.groups / 4 {
            let x = rows.map(|row| vld1q_s8(row.add(at)));
            group::<PIXELS, REGISTERS, WIDE>(&mut sums, &mut weights, &x, pick[0]);
            group::<PIXELS, REGISTERS, WIDE>(&mut sums, &mut weights, &x, pick[1]);
            group::<PIXELS, REGISTERS, WIDE>(&mut sums, &mut weights, &x, pick[2]);
            group::<PIXELS, REGISTERS, WIDE>(&mut sums, &mut weights, &x, pick[3]);
            at += STEP;
        }
        let rest = block.groups % 4;
        if rest > 0 {
            let x = rows.map(|row| vld1q_s8(row.add(at)));
            group::<PIXELS, REGISTERS, WIDE>(&mut sums, &mut weights, &x, pick[0]);
            if rest > 1 {
                group::<PIXELS, REGISTERS, WIDE>(&mut sums, &mut weights, &x, pick[1]);
            }
            if rest > 2 {
                group::<PIXELS, REGISTERS, WIDE>(&mut sums, &mut weights, &x, pick[2]);
            }
        }
        block.write(&sums, pixels);
    }
}

/// Adds the products of the four inputs that `pick` selects from `x`.
///
/// # Safety
/// A group of weights must be readable.
#[inline(always)]
unsafe fn group<const PIXELS: usize, const REGISTERS: usize, const WIDE: bool>(
    sums: &mut [[int32x4_t; REGISTERS]; PIXELS],
    weights: &mut *const i8,
    x: &[int8x16_t; PIXELS],
    pick: uint8x16_t,
) {
    // SAFETY: upheld by the caller.
    unsafe {
        let w: [int8x16_t; REGISTERS] = std::array::from_fn(|r| vld1q_s8(weights.add(r * 16)));
        for (sums, &x) in sums.iter_mut().zip(x) {
            if let (false, Some(sums), Some(w)) = (WIDE, sums.as_mut_array::<4>(), w.as_array::<4>()) {
                add_four(sums, w, x, pick);
                continue;
            }
            let x = vqtbl1q_s8(x, pick);
            for (sum, &w) in sums.iter_mut().zip(&w) {
                let low = vmull_s8(vget_low_s8(w), vget_low_s8(x));
                *sum = if WIDE {
                    vpadalq_s16(vpadalq_s16(*sum, low), vmull_high_s8(w, x))
                } else {
                    vpadalq_s16(*sum, vmlal_high_s8(low, w, x))
                };
            }
        }
        *weights = weights.add(REGISTERS * 16);
    }
}
