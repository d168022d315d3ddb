//! `sdot`: four rows of a column are interleaved, so that one instruction adds up a column of four channels.
//! With stride 1, the same four rows serve two output rows: the weights of the second are moved down by one.

use std::arch::aarch64::*;
use std::arch::asm;

use super::{Depthwise, LANES, Slide, slide};
use crate::neon::{load_pair, pack, pack_half, scale};
use crate::requantise::Requantise;

/// Constants of eight channels.
#[derive(Debug)]
pub(super) struct Block {
    start: usize,
    /// `[output row][column][register][lane][row 0, row 1, row 2, row 3]`; one of the four
    /// rows has weight zero.
    weights: [[[[i8; 16]; 2]; 3]; 2],
    bias: [i32; LANES],
    multiplier: [f32; LANES],
}

impl Block {
    pub(super) fn new((weights, requantise, start): (&[i8], &Requantise, usize)) -> Self {
        let mut block =
            Self { start, weights: [[[[0; 16]; 2]; 3]; 2], bias: [0; LANES], multiplier: [0.0; LANES] };
        for (channel, taps) in weights.chunks_exact(9).enumerate() {
            for (tap, &weight) in taps.iter().enumerate() {
                for (row, weights) in block.weights.iter_mut().enumerate() {
                    weights[tap % 3][channel / 4][channel % 4 * 4 + tap / 3 + row] = weight;
                }
            }
        }
        block.bias.copy_from_slice(&requantise.bias[start..][..LANES]);
        block.multiplier.copy_from_slice(&requantise.multiplier[start..][..LANES]);
        block
    }
}

/// `ROWS` output rows from `y` on.
///
/// # Safety
/// The CPU must have `dotprod`.
#[target_feature(enable = "dotprod")]
pub(super) unsafe fn run<const ROWS: usize>(
    conv: &Depthwise,
    blocks: &[Block],
    input: &[i8],
    y: usize,
    output: &mut [i8],
) {
    let line = output.len() / ROWS;
    // The fourth row has no weight if there is only one output row.
    let lines: [&[i8]; 4] = std::array::from_fn(|tap| conv.line(input, y, tap.min(ROWS + 1)));
    for block in blocks {
        // SAFETY: the lines are as long as the input is wide; the output has `ROWS` rows.
        unsafe {
            let body = Rows::<ROWS> {
                lines: lines.map(<[i8]>::as_ptr),
                weights: std::array::from_fn(|row| {
                    block.weights[row].map(|column| column.map(|w| vld1q_s8(w.as_ptr())))
                }),
                bias: block.bias.as_ptr(),
                multiplier: [
                    vld1q_f32(block.multiplier.as_ptr()),
                    vld1q_f32(block.multiplier.as_ptr().add(4)),
                ],
                zero: vdupq_n_s16(conv.zero),
            };
            let padding = [vdupq_n_s8(conv.padding[0]); 2];
            let to = std::array::from_fn(|row| output.as_mut_ptr().add(row * line + block.start));
            slide(&body, &conv.window, conv.channels, block.start, padding, to);
        }
    }
}

struct Rows<const ROWS: usize> {
    lines: [*const i8; 4],
    weights: [[[int8x16_t; 2]; 3]; ROWS],
    bias: *const i32,
    multiplier: [float32x4_t; 2],
    zero: int16x8_t,
}

impl<const ROWS: usize> Slide<ROWS> for Rows<ROWS> {
    /// Four rows interleaved, channels 0..4 and 4..8.
    type Column = [int8x16_t; 2];

    #[inline(always)]
    unsafe fn load(&self, at: usize) -> Self::Column {
        // SAFETY: upheld by the caller.
        unsafe {
            let [a, b, c, d] = self.lines.map(|line| vld1_s8(line.add(at)));
            let d = if ROWS == 1 { c } else { d };
            let ab = vreinterpretq_s16_s8(vcombine_s8(vzip1_s8(a, b), vzip2_s8(a, b)));
            let cd = vreinterpretq_s16_s8(vcombine_s8(vzip1_s8(c, d), vzip2_s8(c, d)));
            [vreinterpretq_s8_s16(vzip1q_s16(ab, cd)), vreinterpretq_s8_s16(vzip2q_s16(ab, cd))]
        }
    }

    #[inline(always)]
    unsafe fn write(&self, columns: [Self::Column; 3], to: [*mut i8; ROWS]) {
        // SAFETY: upheld by the caller; only `run` uses this type, and the bias has eight values.
        unsafe {
            let mut values = [vdupq_n_f32(0.0); 4];
            for (row, weights) in self.weights.iter().enumerate() {
                let biases = load_pair(self.bias);
                for (half, mut sum) in biases.into_iter().enumerate() {
                    for (column, weights) in columns.iter().zip(weights) {
                        sum = dot(sum, column[half], weights[half]);
                    }
                    values[row * 2 + half] = scale(sum, self.multiplier[half]);
                }
            }
            if ROWS == 1 {
                vst1_s8(to[0], pack_half([values[0], values[1]], self.zero));
            } else {
                let q = vreinterpretq_s64_s8(pack(values, self.zero));
                vst1q_lane_s64::<0>(to[0].cast(), q);
                vst1q_lane_s64::<1>(to[1].cast(), q);
            }
        }
    }
}

/// `sum[l] + Σ_i x[4l + i] · w[4l + i]`. The intrinsic is not stable yet. Call it only from functions with
/// `dotprod` enabled: otherwise the assembler rejects it.
#[inline(always)]
fn dot(mut sum: int32x4_t, x: int8x16_t, w: int8x16_t) -> int32x4_t {
    // SAFETY: touches registers only.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {x:v}.16b, {w:v}.16b",
            sum = inout(vreg) sum, x = in(vreg) x, w = in(vreg) w,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}
