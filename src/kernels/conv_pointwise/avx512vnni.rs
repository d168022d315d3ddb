//! AVX-512 VNNI: `vpdpbusd` over blocks of 16 output channels, up to four blocks and several pixels in registers.
//!
//! The instruction takes unsigned activations: `x + 128`, which the bias takes back (`−128 · Σ w`).

use std::arch::x86_64::*;

use super::CHUNK;
use crate::kernels::requantise::Requantise;
use crate::kernels::table::{Registers, Table, first};

/// Output channels of a register.
const LANES: usize = 16;

#[derive(Debug)]
pub(super) struct Pointwise {
    inputs: usize,
    outputs: usize,
    tiles: Vec<Tile>,
    bounds: (f32, f32, i16),
    table: Option<Box<Table>>,
}

/// Up to four blocks of output channels.
#[derive(Debug)]
struct Tile {
    /// First output channel.
    start: usize,
    /// Output channels, fewer than `LANES · blocks` at the end.
    count: usize,
    blocks: usize,
    /// `[inputs / 4][blocks][LANES][4]`, zeros beyond the ends.
    weights: Vec<i8>,
    /// `[blocks][LANES]`, likewise the multipliers.
    bias: Vec<i32>,
    multiplier: Vec<f32>,
}

impl Pointwise {
    pub(super) fn new(inputs: usize, weights: &[i8], requantise: &Requantise) -> Self {
        let outputs = requantise.bias.len();
        let blocks = outputs.div_ceil(LANES);
        let count = blocks.div_ceil(4);
        // As even as possible: 15 blocks are 4, 4, 4 and 3.
        let tiles =
            (0..count).map(|tile| (tile * blocks).div_ceil(count)..((tile + 1) * blocks).div_ceil(count));
        let tiles = tiles.map(|blocks| Tile::new(blocks, inputs, weights, requantise)).collect();
        Self { inputs, outputs, tiles, bounds: requantise.bounds(), table: requantise.table.clone() }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    pub(super) fn run(&self, scratch: &mut Vec<u8>, input: &[i8], stride: usize, output: &mut [i8]) {
        let row = self.inputs.next_multiple_of(4);
        let pixels = (CHUNK / row).max(24);
        scratch.resize(pixels * row + 64, 0);
        let epilogue = Epilogue::new(self.bounds, self.table.as_deref());
        for (chunk, output) in output.chunks_mut(pixels * self.outputs).enumerate() {
            let pixels_here = output.len() / self.outputs;
            for pixel in 0..pixels_here {
                let from = &input[(chunk * pixels + pixel) * stride..][..self.inputs];
                unsign(from, &mut scratch[pixel * row..][..row + 63]);
            }
            for tile in &self.tiles {
                match tile.blocks {
                    1 => tile.run::<12, 1>(scratch, row, output, self.outputs, &epilogue),
                    2 => tile.run::<12, 2>(scratch, row, output, self.outputs, &epilogue),
                    3 => tile.run::<8, 3>(scratch, row, output, self.outputs, &epilogue),
                    _ => tile.run::<6, 4>(scratch, row, output, self.outputs, &epilogue),
                }
            }
        }
    }
}

/// `to[i] = from[i] + 128`; writes up to the next multiple of 64 bytes, as far as `to` goes.
#[target_feature(enable = "avx512f,avx512bw")]
fn unsign(from: &[i8], to: &mut [u8]) {
    for (to, from) in to.chunks_mut(64).zip(from.chunks(64)) {
        let mask = first(to.len());
        // SAFETY: the masks end where the chunks do.
        unsafe {
            let q = _mm512_maskz_loadu_epi8(first(from.len()), from.as_ptr());
            _mm512_mask_storeu_epi8(
                to.as_mut_ptr().cast(),
                mask,
                _mm512_xor_si512(q, _mm512_set1_epi8(-128)),
            );
        }
    }
}

impl Tile {
    fn new(blocks: std::ops::Range<usize>, inputs: usize, weights: &[i8], requantise: &Requantise) -> Self {
        let start = blocks.start * LANES;
        let count = requantise.bias.len().min(blocks.end * LANES) - start;
        let blocks = blocks.len();
        let mut tile = Self {
            start,
            count,
            blocks,
            weights: vec![0; inputs.next_multiple_of(4) * blocks * LANES],
            bias: vec![0; blocks * LANES],
            multiplier: vec![0.0; blocks * LANES],
        };
        for channel in 0..count {
            let row = &weights[(start + channel) * inputs..][..inputs];
            for (i, &weight) in row.iter().enumerate() {
                tile.weights[(i / 4 * blocks * LANES + channel) * 4 + i % 4] = weight;
            }
            let sum: i32 = row.iter().map(|&w| i32::from(w)).sum();
            tile.bias[channel] = requantise.bias[start + channel].wrapping_sub(sum.wrapping_mul(128));
            tile.multiplier[channel] = requantise.multiplier[start + channel];
        }
        tile
    }

    /// All pixels of a chunk. The last ones are done again with their predecessors where they do not fill the registers.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    fn run<const PIXELS: usize, const BLOCKS: usize>(
        &self,
        input: &[u8],
        row: usize,
        output: &mut [i8],
        outputs: usize,
        epilogue: &Epilogue,
    ) {
        let pixels = output.len() / outputs;
        let mut pixel = 0;
        while pixel < pixels && pixels >= PIXELS {
            let start = pixel.min(pixels - PIXELS);
            self.tile::<PIXELS, BLOCKS>(
                &input[start * row..],
                row,
                &mut output[start * outputs..],
                outputs,
                epilogue,
            );
            pixel += PIXELS;
        }
        for pixel in pixel..pixels {
            self.tile::<1, BLOCKS>(
                &input[pixel * row..],
                row,
                &mut output[pixel * outputs..],
                outputs,
                epilogue,
            );
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    fn tile<const PIXELS: usize, const BLOCKS: usize>(
        &self,
        input: &[u8],
        row: usize,
        output: &mut [i8],
        outputs: usize,
        epilogue: &Epilogue,
    ) {
        assert!(input.len() >= PIXELS * row && self.weights.len() == row * BLOCKS * LANES);
        assert!(self.bias.len() == BLOCKS * LANES && self.multiplier.len() == BLOCKS * LANES);
        assert!(
            output.len() >= (PIXELS - 1) * outputs + self.start + self.count && self.count <= BLOCKS * LANES
        );
        let (input, weights) = (input.as_ptr(), self.weights.as_ptr());
        // SAFETY: as asserted, the biases and multipliers fill BLOCKS registers; `k` stays below `row`, a multiple of four, and
        // the mask of `store` ends at the tile's last channel.
        unsafe {
            let bias: [__m512i; BLOCKS] =
                std::array::from_fn(|b| _mm512_loadu_si512(self.bias.as_ptr().add(b * LANES).cast()));
            let mut sums = [bias; PIXELS];
            for k in (0..row).step_by(4) {
                let at = weights.add(k * BLOCKS * LANES);
                let w: [__m512i; BLOCKS] = std::array::from_fn(|b| _mm512_loadu_si512(at.add(b * 64).cast()));
                for (p, sums) in sums.iter_mut().enumerate() {
                    let x = _mm512_set1_epi32(input.add(p * row + k).cast::<i32>().read_unaligned());
                    for (sum, &w) in sums.iter_mut().zip(&w) {
                        *sum = _mm512_dpbusd_epi32(*sum, x, w);
                    }
                }
            }
            let multiplier: [__m512; BLOCKS] =
                std::array::from_fn(|b| _mm512_loadu_ps(self.multiplier.as_ptr().add(b * LANES)));
            for (p, sums) in sums.iter().enumerate() {
                let mut rounded = [_mm512_setzero_si512(); 4];
                for b in 0..BLOCKS {
                    rounded[b] = epilogue.round(sums[b], multiplier[b]);
                }
                let q = _mm512_permutexvar_epi32(epilogue.order, epilogue.pack(rounded));
                let at = output.as_mut_ptr().add(p * outputs + self.start);
                _mm512_mask_storeu_epi8(at, first(self.count), epilogue.look_up(q));
            }
        }
    }
}

/// Requantising four registers of sums at a time.
pub(in crate::kernels) struct Epilogue {
    low: __m512,
    high: __m512,
    zero: __m512i,
    table: Option<Registers>,
    /// Brings what `pack` makes into the order of the channels.
    order: __m512i,
}

impl Epilogue {
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(in crate::kernels) fn new((low, high, zero): (f32, f32, i16), table: Option<&Table>) -> Self {
        Self {
            low: _mm512_set1_ps(low),
            high: _mm512_set1_ps(high),
            zero: _mm512_set1_epi16(zero),
            table: table.map(|table| Registers::new(table)),
            order: _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        }
    }

    /// Rounds half to even (the rounding mode of `vcvtps2dq` is never changed), clamped, without the zero point.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(in crate::kernels) fn round(&self, sum: __m512i, multiplier: __m512) -> __m512i {
        let value = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), multiplier);
        _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(value, self.low), self.high))
    }

    /// Adds the zero point. Dword `4l + v` of the result holds values `4l..4l+4` of register `v`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(in crate::kernels) fn pack(&self, [a, b, c, d]: [__m512i; 4]) -> __m512i {
        let ab = _mm512_add_epi16(_mm512_packs_epi32(a, b), self.zero);
        let cd = _mm512_add_epi16(_mm512_packs_epi32(c, d), self.zero);
        _mm512_packs_epi16(ab, cd)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(in crate::kernels) fn look_up(&self, q: __m512i) -> __m512i {
        match &self.table {
            Some(table) => table.get(q),
            None => q,
        }
    }
}
