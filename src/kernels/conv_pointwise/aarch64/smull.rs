//! Without `sdot`: two products of bytes in i16 (`smull`, `smlal2`), then pairs of them into i32 (`sadalp`).
//!
//! A product is at most 128 · 127 where no weight is −128, so two are at most 32 512 and fit i16. Where one is, each product is
//! added by itself.

use std::arch::aarch64::*;
use std::arch::asm;

use super::{Block, LANES, Pixels, STEP, apart, tiles};

/// Where the weight of input `i` of four lies in a group: a register holds inputs 0 and 1 of four outputs, then inputs 2 and 3.
pub(super) fn at(channel: usize, i: usize) -> usize {
    channel / LANES * 16 + i / 2 * 8 + channel % LANES * 2 + i % 2
}

/// # Safety
/// Whole steps of inputs must be readable at each pixel, the block's channels writable.
pub(super) unsafe fn run(block: &Block, pixels: Pixels) {
    // SAFETY: the caller's promise.
    unsafe { if block.wide { blocks::<true>(block, pixels) } else { blocks::<false>(block, pixels) } }
}

/// # Safety
/// As of `run`.
unsafe fn blocks<const WIDE: bool>(block: &Block, pixels: Pixels) {
    // SAFETY: the caller's promise.
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
/// As of `run`, for `PIXELS` pixels; the block has `REGISTERS` registers.
#[inline]
unsafe fn tile<const PIXELS: usize, const REGISTERS: usize, const WIDE: bool>(block: &Block, pixels: Pixels) {
    let mut sums = block.biases::<PIXELS, REGISTERS>();
    // SAFETY: the caller's promise; the weights have `groups` groups.
    unsafe {
        let rows: [*const i8; PIXELS] = std::array::from_fn(|p| apart(pixels.from.add(p * pixels.stride)));
        // Inputs 0 and 1 of a group four times, then 2 and 3.
        let first = vreinterpretq_s8_s64(vcombine_s64(
            vcreate_s64(0x0100_0100_0100_0100),
            vcreate_s64(0x0302_0302_0302_0302),
        ));
        let pick: [uint8x16_t; 4] =
            std::array::from_fn(|g| vreinterpretq_u8_s8(vaddq_s8(first, vdupq_n_s8(4 * g as i8))));
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

/// Adds the products of the four inputs in `x` that `pick` spreads.
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
    // SAFETY: the caller's promise.
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

/// One pixel and four registers of weights, in one piece: where the compiler orders these instructions, products of many pixels wait
/// side by side for registers that there are not.
#[inline(always)]
fn add_four([a, b, c, d]: &mut [int32x4_t; 4], w: &[int8x16_t; 4], x: int8x16_t, pick: uint8x16_t) {
    // SAFETY: registers only.
    unsafe {
        asm!(
            "tbl {x:v}.16b, {{{from:v}.16b}}, {pick:v}.16b",
            "smull {p:v}.8h, {w0:v}.8b, {x:v}.8b",
            "smull {q:v}.8h, {w1:v}.8b, {x:v}.8b",
            "smull {r:v}.8h, {w2:v}.8b, {x:v}.8b",
            "smull {s:v}.8h, {w3:v}.8b, {x:v}.8b",
            "smlal2 {p:v}.8h, {w0:v}.16b, {x:v}.16b",
            "smlal2 {q:v}.8h, {w1:v}.16b, {x:v}.16b",
            "smlal2 {r:v}.8h, {w2:v}.16b, {x:v}.16b",
            "smlal2 {s:v}.8h, {w3:v}.16b, {x:v}.16b",
            "sadalp {a:v}.4s, {p:v}.8h",
            "sadalp {b:v}.4s, {q:v}.8h",
            "sadalp {c:v}.4s, {r:v}.8h",
            "sadalp {d:v}.4s, {s:v}.8h",
            x = out(vreg) _, p = out(vreg) _, q = out(vreg) _, r = out(vreg) _, s = out(vreg) _,
            a = inout(vreg) *a, b = inout(vreg) *b, c = inout(vreg) *c, d = inout(vreg) *d,
            w0 = in(vreg) w[0], w1 = in(vreg) w[1], w2 = in(vreg) w[2], w3 = in(vreg) w[3],
            from = in(vreg) x, pick = in(vreg) pick,
            options(nomem, nostack, preserves_flags)
        );
    }
}
