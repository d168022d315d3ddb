//! Without `sdot`: two taps are added in i16 (`smull`, `smlal`), then accumulated in i32 (`saddw`).
//!
//! If no weight is −128, a product is at most 128 · 127, so two sum to at most 32 512 and fit i16. Otherwise
//! each product is added by itself.

use std::arch::aarch64::*;

use super::{Depthwise, LANES, Slide, slide};
use crate::neon::{load_pair, pack_half, scale};
use crate::requantise::Requantise;

/// Constants of eight channels.
#[derive(Debug)]
pub(super) struct Block {
    start: usize,
    /// `[column][row]`.
    weights: [[[i8; LANES]; 3]; 3],
    bias: [i32; LANES],
    multiplier: [f32; LANES],
    /// Whether the sum of two products can reach 2¹⁵.
    wide: bool,
}

impl Block {
    pub(super) fn new((weights, requantise, start): (&[i8], &Requantise, usize)) -> Self {
        let mut block = Self {
            start,
            weights: [[[0; LANES]; 3]; 3],
            bias: [0; LANES],
            multiplier: [0.0; LANES],
            wide: weights.contains(&i8::MIN),
        };
        for (channel, taps) in weights.chunks_exact(9).enumerate() {
            for (tap, &weight) in taps.iter().enumerate() {
                block.weights[tap % 3][tap / 3][channel] = weight;
            }
        }
        block.bias.copy_from_slice(&requantise.bias[start..][..LANES]);
        block.multiplier.copy_from_slice(&requantise.multiplier[start..][..LANES]);
        block
    }
}

/// Output row `y`.
///
/// # Safety
/// None: the slices are checked. Unsafe only to match the signature of the other bodies.
pub(super) unsafe fn run(conv: &Depthwise, blocks: &[Block], input: &[i8], y: usize, output: &mut [i8]) {
    let lines: [&[i8]; 3] = std::array::from_fn(|tap| conv.line(input, y, tap));
    for block in blocks {
        // SAFETY: the lines are as long as the input is wide; the output is one row.
        unsafe {
            let to = [output.as_mut_ptr().add(block.start)];
            let padding = [vdup_n_s8(conv.padding[0]); 3];
            if block.wide {
                let body = Row::<true>::new(lines, block, conv.zero);
                slide(&body, &conv.window, conv.channels, block.start, padding, to);
            } else {
                let body = Row::<false>::new(lines, block, conv.zero);
                slide(&body, &conv.window, conv.channels, block.start, padding, to);
            }
        }
    }
}

struct Row<const WIDE: bool> {
    lines: [*const i8; 3],
    weights: [[int8x8_t; 3]; 3],
    bias: *const i32,
    multiplier: [float32x4_t; 2],
    zero: int16x8_t,
}

impl<const WIDE: bool> Row<WIDE> {
    #[inline(always)]
    fn new(lines: [&[i8]; 3], block: &Block, zero: i16) -> Self {
        // SAFETY: eight values each.
        unsafe {
            Self {
                lines: lines.map(<[i8]>::as_ptr),
                weights: block.weights.map(|column| column.map(|w| vld1_s8(w.as_ptr()))),
                bias: block.bias.as_ptr(),
                multiplier: [
                    vld1q_f32(block.multiplier.as_ptr()),
                    vld1q_f32(block.multiplier.as_ptr().add(4)),
                ],
                zero: vdupq_n_s16(zero),
            }
        }
    }
}

impl<const WIDE: bool> Slide<1> for Row<WIDE> {
    /// Three rows.
    type Column = [int8x8_t; 3];

    #[inline(always)]
    unsafe fn load(&self, at: usize) -> Self::Column {
        // SAFETY: upheld by the caller.
        unsafe { self.lines.map(|line| vld1_s8(line.add(at))) }
    }

    #[inline(always)]
    unsafe fn write(&self, columns: [Self::Column; 3], to: [*mut i8; 1]) {
        // SAFETY: upheld by the caller; the bias has eight values.
        unsafe {
            let mut sums = load_pair(self.bias);
            let mut add = |products: int16x8_t| {
                sums[0] = vaddw_s16(sums[0], vget_low_s16(products));
                sums[1] = vaddw_high_s16(sums[1], products);
            };
            let x = |tap: usize| columns[tap / 3][tap % 3];
            let w = |tap: usize| self.weights[tap / 3][tap % 3];
            for tap in [0, 2, 4, 6] {
                let products = vmull_s8(x(tap), w(tap));
                if WIDE {
                    add(products);
                    add(vmull_s8(x(tap + 1), w(tap + 1)));
                } else {
                    add(vmlal_s8(products, x(tap + 1), w(tap + 1)));
                }
            }
            add(vmull_s8(x(8), w(8)));
            let values = [scale(sums[0], self.multiplier[0]), scale(sums[1], self.multiplier[1])];
            vst1_s8(to[0], pack_half(values, self.zero));
        }
    }
}
