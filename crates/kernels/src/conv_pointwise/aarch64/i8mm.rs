//! `smmla`: eight inputs of two pixels times eight inputs of two outputs, four sums per register.

use std::arch::aarch64::*;
use std::arch::asm;

use super::{Block, LANES, Pixels, apart, load_pair, tiles, unroll};

/// Position within a group of the weight of input `i` (of eight): the eight inputs of an
/// output are contiguous.
pub(super) fn at(channel: usize, i: usize) -> usize {
    channel * 8 + i
}

/// # Safety
/// Every pixel must be readable up to a whole number of input steps, and the block's
/// channels must be writable.
#[target_feature(enable = "i8mm")]
pub(super) unsafe fn run(block: &Block, pixels: Pixels) {
    // SAFETY: upheld by the caller.
    unsafe {
        match block.count.div_ceil(LANES) {
            1 => tiles!(block, pixels, tile, 8, 7, 1),
            2 => tiles!(block, pixels, tile, 8, 7, 2),
            3 => tiles!(block, pixels, tile, 6, 5, 3),
            _ => tiles!(block, pixels, tile, 6, 5, 4),
        }
    }
}

/// If the number of pixels is odd, the last one is paired with itself.
///
/// # Safety
/// Same as `run`, for `PIXELS` pixels; the block has `REGISTERS` registers.
#[inline]
#[target_feature(enable = "i8mm")]
unsafe fn tile<const PIXELS: usize, const REGISTERS: usize>(block: &Block, pixels: Pixels) {
    // SAFETY: upheld by the caller; the weights have `groups` groups.
    unsafe {
        // `[pixel pair]`; only the first half of the array is used, as in `sums`.
        let mut rows: [[*const i8; 2]; PIXELS] = std::array::from_fn(|pair| {
            [2 * pair, 2 * pair + 1].map(|p| apart(pixels.from.add(p.min(PIXELS - 1) * pixels.stride)))
        });
        let first = block.biases::<1, REGISTERS>()[0].map(|b| {
            let b = vreinterpretq_s64_s32(b);
            [vzip1q_s64(b, b), vzip2q_s64(b, b)].map(|b| vreinterpretq_s32_s64(b))
        });
        // `[pixel pair][register][output pair]`.
        let mut sums = [first; PIXELS];
        let mut weights = block.weights.as_ptr();
        for _ in 0..block.groups {
            let mut x = [vdupq_n_s8(0); PIXELS];
            unroll!(p < PIXELS.div_ceil(2), x[p] = load_two(&mut rows[p]));
            unroll!(r < REGISTERS, {
                let w = load_pair(weights.add(r * 32).cast()).map(|w| vreinterpretq_s8_s32(w));
                unroll!(p < PIXELS.div_ceil(2), {
                    sums[p][r][0] = multiply(sums[p][r][0], x[p], w[0]);
                    sums[p][r][1] = multiply(sums[p][r][1], x[p], w[1]);
                });
            });
            weights = weights.add(REGISTERS * 32);
        }
        let mut rows = [[vdupq_n_s32(0); REGISTERS]; PIXELS];
        unroll!(p < PIXELS, {
            unroll!(r < REGISTERS, {
                let [a, b] = sums[p / 2][r].map(|s| vreinterpretq_s64_s32(s));
                rows[p][r] =
                    vreinterpretq_s32_s64(if p % 2 == 0 { vzip1q_s64(a, b) } else { vzip2q_s64(a, b) });
            });
        });
        block.write::<PIXELS, REGISTERS>(&rows, pixels);
    }
}

/// Loads eight inputs of each of two pixels and advances the pointers.
///
/// # Safety
/// The inputs must be readable.
#[inline(always)]
unsafe fn load_two([first, second]: &mut [*const i8; 2]) -> int8x16_t {
    let x;
    // SAFETY: upheld by the caller.
    unsafe {
        asm!(
            "ldr {x:d}, [{first}], #8",
            "ld1 {{{x:v}.d}}[1], [{second}], #8",
            x = out(vreg) x, first = inout(reg) *first, second = inout(reg) *second,
            options(readonly, nostack, preserves_flags)
        );
    }
    x
}

/// `sum[2p + o] + Σ_i x[8p + i] · w[8o + i]`. The intrinsic is not stable yet. Call it only from functions
/// with `i8mm` enabled: otherwise the assembler rejects it.
#[inline(always)]
fn multiply(mut sum: int32x4_t, x: int8x16_t, w: int8x16_t) -> int32x4_t {
    // SAFETY: touches registers only. Not `pure`, so that the compiler keeps the order and with it
    // the register count.
    unsafe {
        asm!(
            "smmla {sum:v}.4s, {x:v}.16b, {w:v}.16b",
            sum = inout(vreg) sum, x = in(vreg) x, w = in(vreg) w,
            options(nomem, nostack, preserves_flags)
        );
    }
    sum
}
