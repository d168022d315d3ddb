//! `sdot` by element: four outputs × four inputs of weights, times four inputs of one pixel.

use std::arch::aarch64::*;

use super::{Block, LANES, Pixels, STEP, apart, tiles};
use crate::neon::dot;

/// # Safety
/// Every pixel must be readable up to a whole number of input steps, and the block's
/// channels must be writable.
#[target_feature(enable = "dotprod")]
pub(super) unsafe fn run(block: &Block, pixels: Pixels) {
    // SAFETY: upheld by the caller.
    unsafe {
        match block.count.div_ceil(LANES) {
            1 => tiles!(block, pixels, tile, 8, 7, 1),
            2 => tiles!(block, pixels, tile, 8, 7, 2),
            3 => tiles!(block, pixels, tile, 7, 6, 3),
            _ => tiles!(block, pixels, tile, 6, 5, 4),
        }
    }
}

/// # Safety
/// Same as `run`, for `PIXELS` pixels; the block has `REGISTERS` registers.
#[inline]
#[target_feature(enable = "dotprod")]
unsafe fn tile<const PIXELS: usize, const REGISTERS: usize>(block: &Block, pixels: Pixels) {
    let mut sums = block.biases::<PIXELS, REGISTERS>();
    // SAFETY: upheld by the caller; the weights have `groups` groups.
    unsafe {
        let rows: [*const i8; PIXELS] = std::array::from_fn(|p| apart(pixels.from.add(p * pixels.stride)));
        let mut weights = block.weights.as_ptr();
        let mut at = 0;
        for _ in 0..block.groups / 4 {
            let x = rows.map(|row| vld1q_s8(row.add(at)));
            group::<0, PIXELS, REGISTERS>(&mut sums, &mut weights, &x);
            group::<1, PIXELS, REGISTERS>(&mut sums, &mut weights, &x);
            group::<2, PIXELS, REGISTERS>(&mut sums, &mut weights, &x);
            group::<3, PIXELS, REGISTERS>(&mut sums, &mut weights, &x);
            at += STEP;
        }
        let rest = block.groups % 4;
        if rest > 0 {
            let x = rows.map(|row| vld1q_s8(row.add(at)));
            group::<0, PIXELS, REGISTERS>(&mut sums, &mut weights, &x);
            if rest > 1 {
                group::<1, PIXELS, REGISTERS>(&mut sums, &mut weights, &x);
            }
            if rest > 2 {
                group::<2, PIXELS, REGISTERS>(&mut sums, &mut weights, &x);
            }
        }
        block.write(&sums, pixels);
    }
}

/// Adds the products of four inputs: those in group `GROUP` of `x`.
///
/// # Safety
/// A group of weights must be readable.
#[inline]
#[target_feature(enable = "dotprod")]
unsafe fn group<const GROUP: u8, const PIXELS: usize, const REGISTERS: usize>(
    sums: &mut [[int32x4_t; REGISTERS]; PIXELS],
    weights: &mut *const i8,
    x: &[int8x16_t; PIXELS],
) {
    for r in 0..REGISTERS {
        // SAFETY: upheld by the caller.
        let w = unsafe { vld1q_s8(weights.add(r * 16)) };
        for (sums, &x) in sums.iter_mut().zip(x) {
            // SAFETY: enabled by the target feature.
            sums[r] = unsafe { dot::<GROUP>(sums[r], w, x) };
        }
    }
    *weights = weights.wrapping_add(REGISTERS * 16);
}
