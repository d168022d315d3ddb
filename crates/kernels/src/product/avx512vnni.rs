//! AVX-512 VNNI: `vpdpbusd` over 64 output columns and up to six rows.
//!
//! The instruction takes one unsigned operand: the weights plus 128. Every sum starts at `−128 ·
//! Σ q` to compensate.

use std::arch::x86_64::*;

use super::quantise::Quantised;
use super::{Columns, GROUP};

/// Columns per register.
const LANES: usize = 16;
/// Registers per row of a tile.
const BLOCKS: usize = 4;
/// Columns per tile.
const WIDTH: usize = LANES * BLOCKS;
/// Rows per tile.
const ROWS: usize = 6;

#[derive(Debug)]
pub(super) struct Product {
    outputs: usize,
    /// `[outputs / WIDTH][inputs / 4][WIDTH][4]`, weights plus 128, padded with 128.
    weights: Vec<u8>,
    /// One per column, zero-padded.
    columns: Columns,
}

impl Product {
    pub(super) fn new(inputs: usize, mut columns: Columns, weight: impl Fn(usize, usize) -> i8) -> Self {
        let outputs = columns.scale.len();
        let (row, padded) = (inputs.next_multiple_of(GROUP), outputs.next_multiple_of(WIDTH));
        let mut weights = vec![128; row * padded];
        for (tile, weights) in weights.chunks_exact_mut(row * WIDTH).enumerate() {
            for input in 0..inputs {
                for lane in 0..WIDTH.min(outputs - tile * WIDTH) {
                    let weight = weight(input, tile * WIDTH + lane);
                    weights[(input / 4 * WIDTH + lane) * 4 + input % 4] = weight.cast_unsigned() ^ 128;
                }
            }
        }
        columns.scale.resize(padded, 0.0);
        columns.bias.resize(padded, 0.0);
        Self { outputs, weights, columns }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn run(&self, rows: &Quantised, output: &mut [f32]) {
        for start in (0..self.outputs).step_by(WIDTH) {
            for first in (0..rows.rows()).step_by(ROWS) {
                match rows.rows() - first {
                    1 => self.tile::<1>(rows, first, start, output),
                    2 => self.tile::<2>(rows, first, start, output),
                    3 => self.tile::<3>(rows, first, start, output),
                    4 => self.tile::<4>(rows, first, start, output),
                    5 => self.tile::<5>(rows, first, start, output),
                    _ => self.tile::<ROWS>(rows, first, start, output),
                }
            }
        }
    }

    /// Columns `start..start + WIDTH` of rows `first..first + N`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn tile<const N: usize>(&self, rows: &Quantised, first: usize, start: usize, output: &mut [f32]) {
        let row = rows.groups * GROUP;
        let values = rows.values[first * row..][..N * row].as_ptr();
        let scales = &rows.scales[first * rows.groups..][..N * rows.groups];
        let weights = self.weights[start * row..][..WIDTH * row].as_ptr();
        let mut totals = [[_mm512_setzero_ps(); BLOCKS]; N];
        for group in 0..rows.groups {
            // SAFETY: 64 bytes of each row's group.
            let mut sums: [[__m512i; BLOCKS]; N] = std::array::from_fn(|n| unsafe {
                [taken_back(_mm512_loadu_si512(values.add(n * row + group * GROUP).cast())); BLOCKS]
            });
            for k in (group * GROUP..(group + 1) * GROUP).step_by(4) {
                // SAFETY: `k` is a multiple of four below `row`.
                unsafe {
                    let at = weights.add(k * WIDTH);
                    let w: [__m512i; BLOCKS] =
                        std::array::from_fn(|b| _mm512_loadu_si512(at.add(b * 64).cast()));
                    for (n, sums) in sums.iter_mut().enumerate() {
                        let x = _mm512_set1_epi32(values.add(n * row + k).cast::<i32>().read_unaligned());
                        for (sum, w) in sums.iter_mut().zip(w) {
                            *sum = _mm512_dpbusd_epi32(*sum, w, x);
                        }
                    }
                }
            }
            for (n, (totals, sums)) in totals.iter_mut().zip(sums).enumerate() {
                let scale = _mm512_set1_ps(scales[n * rows.groups + group]);
                for (total, sum) in totals.iter_mut().zip(sums) {
                    *total = _mm512_add_ps(*total, _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale));
                }
            }
        }
        for (n, totals) in totals.into_iter().enumerate() {
            let output = &mut output[(first + n) * self.outputs..][..self.outputs];
            for (block, total) in totals.into_iter().enumerate() {
                let at = start + block * LANES;
                let Some(output) = output.get_mut(at..) else { break };
                let (scale, bias) = (&self.columns.scale[at..][..LANES], &self.columns.bias[at..][..LANES]);
                let mask = ((1u32 << output.len().min(LANES)) - 1) as __mmask16;
                // SAFETY: 16 floats each; the mask ends where the row does.
                unsafe {
                    let (scale, bias) = (_mm512_loadu_ps(scale.as_ptr()), _mm512_loadu_ps(bias.as_ptr()));
                    let y = _mm512_add_ps(_mm512_mul_ps(total, scale), bias);
                    _mm512_mask_storeu_ps(output.as_mut_ptr(), mask, y);
                }
            }
        }
    }
}

/// `−128 · Σ q` in every lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn taken_back(q: __m512i) -> __m512i {
    let sums = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_set1_epi8(-128), q);
    _mm512_set1_epi32(-_mm512_reduce_add_epi32(sums))
}
