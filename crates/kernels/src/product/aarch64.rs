//! aarch64: 16 output columns and up to three rows in registers, by `sdot` or by pairs of products in i16.
//!
//! Quantised values are never −128, so two products fit i16 whatever the weights are: at most 2 · 128 · 127.

use std::arch::aarch64::*;

use super::quantise::Quantised;
use super::{Columns, GROUP};
use crate::neon::{add_four, at_dot, at_pairs, dot, pairs};

/// Registers per row of a tile.
const REGISTERS: usize = 4;
/// Columns per tile.
const LANES: usize = 4 * REGISTERS;

#[derive(Debug)]
pub(super) struct Product {
    dotprod: bool,
    outputs: usize,
    /// `[outputs / LANES][inputs / 4][REGISTERS]`, each in the layout of its instruction; zero-padded.
    weights: Vec<i8>,
    /// One per column, zero-padded.
    columns: Columns,
}

impl Product {
    pub(super) fn new(
        dotprod: bool,
        inputs: usize,
        mut columns: Columns,
        weight: impl Fn(usize, usize) -> i8,
    ) -> Self {
        let outputs = columns.scale.len();
        let (row, padded) = (inputs.next_multiple_of(GROUP), outputs.next_multiple_of(LANES));
        let at = if dotprod { at_dot } else { at_pairs };
        let mut weights = vec![0; row * padded];
        for (tile, weights) in weights.chunks_exact_mut(row * LANES).enumerate() {
            for input in 0..inputs {
                for lane in 0..LANES.min(outputs - tile * LANES) {
                    weights[input / 4 * 4 * LANES + at(lane, input % 4)] = weight(input, tile * LANES + lane);
                }
            }
        }
        columns.scale.resize(padded, 0.0);
        columns.bias.resize(padded, 0.0);
        Self { dotprod, outputs, weights, columns }
    }

    /// # Safety
    /// The CPU must have `dotprod` if the weights are packed for it.
    pub(super) unsafe fn run(&self, rows: &Quantised, output: &mut [f32]) {
        if self.dotprod {
            // SAFETY: upheld by the caller.
            unsafe { self.tiles_dotprod(rows, output) }
        } else {
            self.tiles::<false>(rows, output);
        }
    }

    #[target_feature(enable = "dotprod")]
    fn tiles_dotprod(&self, rows: &Quantised, output: &mut [f32]) {
        self.tiles::<true>(rows, output);
    }

    #[inline(always)]
    fn tiles<const DOTPROD: bool>(&self, rows: &Quantised, output: &mut [f32]) {
        for start in (0..self.outputs).step_by(LANES) {
            let mut first = 0;
            while first < rows.rows() {
                // The sums and totals of a third row fit the registers only without the temporaries of
                // `smull`. Four rows are done as two and two: a single row would use each weight only once.
                first += match rows.rows() - first {
                    1 => self.tile::<1, DOTPROD>(rows, first, start, output),
                    3 | 5.. if DOTPROD => self.tile::<3, DOTPROD>(rows, first, start, output),
                    _ => self.tile::<2, DOTPROD>(rows, first, start, output),
                };
            }
        }
    }

    /// Columns `start..start + LANES` of rows `first..first + N`; returns `N`.
    #[inline(always)]
    fn tile<const N: usize, const DOTPROD: bool>(
        &self,
        rows: &Quantised,
        first: usize,
        start: usize,
        output: &mut [f32],
    ) -> usize {
        let row = rows.groups * GROUP;
        let values = &rows.values[first * row..][..N * row];
        let scales = &rows.scales[first * rows.groups..][..N * rows.groups];
        let mut weights = self.weights[start * row..][..LANES * row].as_ptr();
        // SAFETY: NEON is part of every aarch64 target.
        let mut totals = unsafe { [[vdupq_n_f32(0.0); REGISTERS]; N] };
        for group in 0..rows.groups {
            // SAFETY: NEON is part of every aarch64 target.
            let mut sums = unsafe { [[vdupq_n_s32(0); REGISTERS]; N] };
            for k in (group * GROUP..(group + 1) * GROUP).step_by(16) {
                // SAFETY: `k` is a multiple of 16 below `row`, so 16 values of each row and their
                // weights are readable.
                unsafe {
                    let x: [int8x16_t; N] =
                        std::array::from_fn(|n| vld1q_s8(values.as_ptr().add(n * row + k)));
                    four::<0, N, DOTPROD>(&mut sums, &mut weights, &x);
                    four::<1, N, DOTPROD>(&mut sums, &mut weights, &x);
                    four::<2, N, DOTPROD>(&mut sums, &mut weights, &x);
                    four::<3, N, DOTPROD>(&mut sums, &mut weights, &x);
                }
            }
            for (n, (totals, sums)) in totals.iter_mut().zip(sums).enumerate() {
                let scale = scales[n * rows.groups + group];
                for (total, sum) in totals.iter_mut().zip(sums) {
                    // SAFETY: NEON is part of every aarch64 target.
                    *total = unsafe { vaddq_f32(*total, vmulq_n_f32(vcvtq_f32_s32(sum), scale)) };
                }
            }
        }
        for (n, totals) in totals.into_iter().enumerate() {
            let output = &mut output[(first + n) * self.outputs..][..self.outputs][start..];
            for (r, total) in totals.into_iter().enumerate() {
                let at = start + r * 4;
                let (scale, bias) = (&self.columns.scale[at..][..4], &self.columns.bias[at..][..4]);
                // SAFETY: four floats each.
                unsafe {
                    let y = vaddq_f32(vmulq_f32(total, vld1q_f32(scale.as_ptr())), vld1q_f32(bias.as_ptr()));
                    if let Some(output) = output.get_mut(r * 4..r * 4 + 4) {
                        vst1q_f32(output.as_mut_ptr(), y);
                    } else {
                        let mut last = [0.0; 4];
                        vst1q_f32(last.as_mut_ptr(), y);
                        for (to, y) in output.iter_mut().skip(r * 4).zip(last) {
                            *to = y;
                        }
                    }
                }
            }
        }
        N
    }
}

/// Adds the products of four inputs, group `AT` of four in `x`.
///
/// # Safety
/// Their weights must be readable; the CPU must have `dotprod` if `DOTPROD` is set.
#[inline(always)]
unsafe fn four<const AT: u8, const N: usize, const DOTPROD: bool>(
    sums: &mut [[int32x4_t; REGISTERS]; N],
    weights: &mut *const i8,
    x: &[int8x16_t; N],
) {
    // SAFETY: upheld by the caller.
    unsafe {
        let w: [int8x16_t; REGISTERS] = std::array::from_fn(|r| vld1q_s8(weights.add(r * 16)));
        for (sums, &x) in sums.iter_mut().zip(x) {
            if DOTPROD {
                for (sum, &w) in sums.iter_mut().zip(&w) {
                    *sum = dot::<AT>(*sum, w, x);
                }
            } else {
                add_four(sums, &w, x, pairs(AT));
            }
        }
        *weights = weights.add(4 * LANES);
    }
}
