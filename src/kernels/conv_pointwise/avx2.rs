//! AVX2: activations and weights widened to i16, `vpmaddwd` over pairs of input channels, 16 output channels and six pixels in
//! registers.

use std::arch::x86_64::*;

use super::CHUNK;
use crate::kernels::requantise::Requantise;

/// Output channels of a tile: two registers of eight.
const LANES: usize = 16;
/// Pixels of a tile.
const PIXELS: usize = 6;

#[derive(Debug)]
pub(super) struct Pointwise {
    inputs: usize,
    outputs: usize,
    /// `[outputs / LANES][inputs / 2][LANES][2]`, zeros beyond the ends.
    weights: Vec<i16>,
    /// `[outputs / LANES][LANES]`, likewise the multipliers.
    bias: Vec<i32>,
    multiplier: Vec<f32>,
    requantise: Requantise,
}

impl Pointwise {
    pub(super) fn new(inputs: usize, weights: &[i8], requantise: Requantise) -> Self {
        let outputs = requantise.bias.len();
        let (row, padded) = (inputs.next_multiple_of(2), outputs.next_multiple_of(LANES));
        let mut packed = vec![0; row * padded];
        for (channel, weights) in weights.chunks_exact(inputs).enumerate() {
            for (i, &weight) in weights.iter().enumerate() {
                let at = channel / LANES * LANES * row + (i / 2 * LANES + channel % LANES) * 2 + i % 2;
                packed[at] = i16::from(weight);
            }
        }
        let (mut bias, mut multiplier) = (requantise.bias.clone(), requantise.multiplier.clone());
        bias.resize(padded, 0);
        multiplier.resize(padded, 0.0);
        Self { inputs, outputs, weights: packed, bias, multiplier, requantise }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn run(&self, scratch: &mut Vec<i16>, input: &[i8], stride: usize, output: &mut [i8]) {
        let row = self.inputs.next_multiple_of(2);
        let chunk = (CHUNK / 2 / row).max(PIXELS);
        scratch.resize(chunk * row, 0);
        for (index, output) in output.chunks_mut(chunk * self.outputs).enumerate() {
            let pixels = output.len() / self.outputs;
            for pixel in 0..pixels {
                let from = &input[(index * chunk + pixel) * stride..][..self.inputs];
                for (to, &from) in scratch[pixel * row..][..row].iter_mut().zip(from) {
                    *to = i16::from(from);
                }
            }
            for start in (0..self.outputs).step_by(LANES) {
                let mut pixel = 0;
                while pixel < pixels && pixels >= PIXELS {
                    let first = pixel.min(pixels - PIXELS);
                    self.tile::<PIXELS>(&scratch[first * row..], start, &mut output[first * self.outputs..]);
                    pixel += PIXELS;
                }
                for pixel in pixel..pixels {
                    self.tile::<1>(&scratch[pixel * row..], start, &mut output[pixel * self.outputs..]);
                }
            }
            if let Some(table) = &self.requantise.table {
                output.iter_mut().for_each(|q| *q = table.get(*q));
            }
        }
    }

    /// Channels `start..start + LANES` of the first N pixels.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn tile<const N: usize>(&self, input: &[i16], start: usize, output: &mut [i8]) {
        let row = self.inputs.next_multiple_of(2);
        let weights = &self.weights[start * row..][..LANES * row];
        let (bias, multiplier) = (&self.bias[start..][..LANES], &self.multiplier[start..][..LANES]);
        assert!(input.len() >= N * row);
        // SAFETY: `k` stays below `row`, which is even; the slices above hold LANES channels.
        let (sums, multiplier) = unsafe {
            let bias = load(bias.as_ptr());
            let mut sums = [bias; N];
            for k in (0..row).step_by(2) {
                let w = load(weights.as_ptr().add(k * LANES));
                for (pixel, sums) in sums.iter_mut().enumerate() {
                    let x = input.as_ptr().add(pixel * row + k).cast::<i32>().read_unaligned();
                    let x = _mm256_set1_epi32(x);
                    sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(x, w[0]));
                    sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(x, w[1]));
                }
            }
            (sums, load(multiplier.as_ptr()).map(|m| _mm256_castsi256_ps(m)))
        };
        let count = LANES.min(self.outputs - start);
        for (pixel, &sums) in sums.iter().enumerate() {
            let q = finish(sums, multiplier, self.requantise.bounds());
            output[pixel * self.outputs + start..][..count].copy_from_slice(&q[..count]);
        }
    }
}

/// Two registers.
///
/// # Safety
/// 64 bytes must be readable at `from`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load<T>(from: *const T) -> [__m256i; 2] {
    let from = from.cast::<__m256i>();
    // SAFETY: the caller's promise.
    unsafe { [_mm256_loadu_si256(from), _mm256_loadu_si256(from.add(1))] }
}

/// Requantises 16 sums, without a table.
#[inline]
#[target_feature(enable = "avx2")]
pub(in crate::kernels) fn finish(
    sums: [__m256i; 2],
    multiplier: [__m256; 2],
    (low, high, zero): (f32, f32, i16),
) -> [i8; LANES] {
    let (low, high) = (_mm256_set1_ps(low), _mm256_set1_ps(high));
    let mut rounded = sums;
    for (sum, multiplier) in rounded.iter_mut().zip(multiplier) {
        let value = _mm256_mul_ps(_mm256_cvtepi32_ps(*sum), multiplier);
        // Rounds half to even.
        *sum = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(value, low), high));
    }
    let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(rounded[0], rounded[1]));
    let words = _mm256_add_epi16(words, _mm256_set1_epi16(zero));
    let bytes = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
    let mut q = [0; LANES];
    // SAFETY: 16 bytes.
    unsafe { _mm_storeu_si128(q.as_mut_ptr().cast(), bytes) };
    q
}
