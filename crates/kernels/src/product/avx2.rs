//! AVX2: pairs of inputs widened to i16 for `vpmaddwd`, 16 output columns and up to six rows in registers.

use std::arch::x86_64::*;

use super::quantise::Quantised;
use super::{Columns, GROUP};

/// Columns per tile: two registers of eight.
const LANES: usize = 16;
/// Rows per tile.
const ROWS: usize = 6;

#[derive(Debug)]
pub(super) struct Product {
    outputs: usize,
    /// `[outputs / LANES][inputs / 2][LANES][2]`, zero-padded.
    weights: Vec<i8>,
    /// One per column, zero-padded.
    columns: Columns,
}

impl Product {
    pub(super) fn new(inputs: usize, mut columns: Columns, weight: impl Fn(usize, usize) -> i8) -> Self {
        let outputs = columns.scale.len();
        let (row, padded) = (inputs.next_multiple_of(GROUP), outputs.next_multiple_of(LANES));
        let mut weights = vec![0; row * padded];
        for (block, weights) in weights.chunks_exact_mut(row * LANES).enumerate() {
            for input in 0..inputs {
                for lane in 0..LANES.min(outputs - block * LANES) {
                    weights[(input / 2 * LANES + lane) * 2 + input % 2] = weight(input, block * LANES + lane);
                }
            }
        }
        columns.scale.resize(padded, 0.0);
        columns.bias.resize(padded, 0.0);
        Self { outputs, weights, columns }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn run(&self, rows: &Quantised, output: &mut [f32]) {
        for start in (0..self.outputs).step_by(LANES) {
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

    /// Columns `start..start + LANES` of rows `first..first + N`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn tile<const N: usize>(&self, rows: &Quantised, first: usize, start: usize, output: &mut [f32]) {
        let row = rows.groups * GROUP;
        let values = &rows.values[first * row..][..N * row];
        let scales = &rows.scales[first * rows.groups..][..N * rows.groups];
        let weights = &self.weights[start * row..][..LANES * row];
        let mut totals = [[_mm256_setzero_ps(); 2]; N];
        for group in 0..rows.groups {
            let mut sums = [[_mm256_setzero_si256(); 2]; N];
            for k in (group * GROUP..(group + 1) * GROUP).step_by(2) {
                // SAFETY: 32 bytes are readable, as `k` is even and below `row`.
                let w = unsafe {
                    let at = weights.as_ptr().add(k * LANES).cast::<__m128i>();
                    [_mm_loadu_si128(at), _mm_loadu_si128(at.add(1))].map(|w| _mm256_cvtepi8_epi16(w))
                };
                for (n, sums) in sums.iter_mut().enumerate() {
                    let [a, b] = [values[n * row + k], values[n * row + k + 1]].map(i32::from);
                    let x = _mm256_set1_epi32((a & 0xFFFF) | b << 16);
                    sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(x, w[0]));
                    sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(x, w[1]));
                }
            }
            for (n, (totals, sums)) in totals.iter_mut().zip(sums).enumerate() {
                let scale = _mm256_set1_ps(scales[n * rows.groups + group]);
                for (total, sum) in totals.iter_mut().zip(sums) {
                    *total = _mm256_add_ps(*total, _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale));
                }
            }
        }
        let count = LANES.min(self.outputs - start);
        for (n, totals) in totals.into_iter().enumerate() {
            let mut done = [0.0; LANES];
            for (half, total) in totals.into_iter().enumerate() {
                let at = start + half * 8;
                let (scale, bias) = (&self.columns.scale[at..][..8], &self.columns.bias[at..][..8]);
                // SAFETY: eight floats each.
                unsafe {
                    let (scale, bias) = (_mm256_loadu_ps(scale.as_ptr()), _mm256_loadu_ps(bias.as_ptr()));
                    let y = _mm256_add_ps(_mm256_mul_ps(total, scale), bias);
                    _mm256_storeu_ps(done[half * 8..][..8].as_mut_ptr(), y);
                }
            }
            output[(first + n) * self.outputs + start..][..count].copy_from_slice(&done[..count]);
        }
    }
}
