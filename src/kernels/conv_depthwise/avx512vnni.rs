//! AVX-512 VNNI, 3×3: the three rows of a column are interleaved to `(row 0, row 1, row 2, 0)` a channel, so that one `vpdpbusd`
//! adds a column of 16 channels. 64 channels at a time; an interleaved column serves the windows beside it, too.
//!
//! The instruction takes unsigned activations: `x + 128`, which the bias takes back (`−128 · Σ w`).

use std::arch::x86_64::*;

use crate::kernels::conv_pointwise::avx512vnni::Epilogue;
use crate::kernels::patches::Window;
use crate::kernels::requantise::Requantise;
use crate::kernels::table::{Table, first};

/// Channels worked on together.
const BLOCK: usize = 64;

#[derive(Debug)]
pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// One row of padding.
    padding: Vec<i8>,
    blocks: Vec<Block>,
    bounds: (f32, f32, i16),
    table: Option<Box<Table>>,
}

/// Constants of 64 channels. Lane `4l + e` of register `v` belongs to channel `16l + 4v + e`, as unpacking leaves them.
#[derive(Debug)]
struct Block {
    /// `[column][register][lane][row, row, row, 0]`.
    weights: [[[i8; 64]; 4]; 3],
    bias: [[i32; 16]; 4],
    multiplier: [[f32; 16]; 4],
}

impl Depthwise {
    pub(super) fn new(window: Window, padding: i8, weights: &[i8], requantise: &Requantise) -> Self {
        let channels = requantise.bias.len();
        let blocks =
            (0..channels).step_by(BLOCK).map(|start| Block::new(start, weights, requantise)).collect();
        Self {
            window,
            channels,
            padding: vec![padding; BLOCK],
            blocks,
            bounds: requantise.bounds(),
            table: requantise.table.clone(),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    pub(super) fn run(&self, input: &[i8], first: usize, output: &mut [i8]) {
        let epilogue = Epilogue::new(self.bounds, self.table.as_deref());
        let [_, width] = self.window.output;
        for (y, output) in output.chunks_exact_mut(width * self.channels).enumerate() {
            for (index, block) in self.blocks.iter().enumerate() {
                self.row(block, index * BLOCK, &epilogue, input, first + y, output);
            }
        }
    }

    /// One output row of one block of channels.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    fn row(
        &self,
        block: &Block,
        start: usize,
        epilogue: &Epilogue,
        input: &[i8],
        y: usize,
        output: &mut [i8],
    ) {
        let count = BLOCK.min(self.channels - start);
        let mask = first(count);
        let line = self.window.input[1] * self.channels;
        let rows: [Option<&[i8]>; 3] =
            std::array::from_fn(|tap| self.window.source(0, y, tap).map(|row| &input[row * line..][..line]));
        // SAFETY: all constants are 64 bytes.
        let (weights, bias, multiplier) = unsafe {
            (
                block
                    .weights
                    .each_ref()
                    .map(|column| column.each_ref().map(|w| _mm512_loadu_si512(w.as_ptr().cast()))),
                block.bias.each_ref().map(|b| _mm512_loadu_si512(b.as_ptr().cast())),
                block.multiplier.each_ref().map(|m| _mm512_loadu_ps(m.as_ptr())),
            )
        };
        let stride = self.window.stride[1];
        let mut columns = [[_mm512_setzero_si512(); 4]; 3];
        for (x, output) in output.chunks_exact_mut(self.channels).enumerate() {
            // Columns that the last window had move to the left.
            let known = if x == 0 { 0 } else { 3usize.saturating_sub(stride) };
            for tap in 0..3 {
                columns[tap] = if tap < known {
                    columns[tap + stride]
                } else {
                    self.column(rows, self.window.source(1, x, tap), start, mask)
                };
            }
            let mut sums = bias;
            for (column, weights) in columns.iter().zip(&weights) {
                for v in 0..4 {
                    sums[v] = _mm512_dpbusd_epi32(sums[v], column[v], weights[v]);
                }
            }
            for v in 0..4 {
                sums[v] = epilogue.round(sums[v], multiplier[v]);
            }
            let q = epilogue.look_up(epilogue.pack(sums));
            let output = &mut output[start..][..count];
            // SAFETY: the mask has `count` bits.
            unsafe { _mm512_mask_storeu_epi8(output.as_mut_ptr(), mask, q) };
        }
    }

    /// Three rows of one column, interleaved; `at` is `None` in the padding.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx512vbmi")]
    fn column(
        &self,
        rows: [Option<&[i8]>; 3],
        at: Option<usize>,
        start: usize,
        mask: __mmask64,
    ) -> [__m512i; 4] {
        let sign = _mm512_set1_epi8(-128);
        let count = mask.count_ones() as usize;
        let values = rows.map(|row| {
            let from = match row.zip(at) {
                Some((row, column)) => &row[column * self.channels + start..][..count],
                None => &self.padding[..count],
            };
            // SAFETY: the mask has `count` bits.
            _mm512_xor_si512(unsafe { _mm512_maskz_loadu_epi8(mask, from.as_ptr()) }, sign)
        });
        let [a, b, c] = values;
        let zero = _mm512_setzero_si512();
        let (ab, c0) = (_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, zero));
        let (ab_high, c0_high) = (_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, zero));
        [
            _mm512_unpacklo_epi16(ab, c0),
            _mm512_unpackhi_epi16(ab, c0),
            _mm512_unpacklo_epi16(ab_high, c0_high),
            _mm512_unpackhi_epi16(ab_high, c0_high),
        ]
    }
}

impl Block {
    fn new(start: usize, weights: &[i8], requantise: &Requantise) -> Self {
        let mut block = Self { weights: [[[0; 64]; 4]; 3], bias: [[0; 16]; 4], multiplier: [[0.0; 16]; 4] };
        for channel in start..requantise.bias.len().min(start + BLOCK) {
            let taps = &weights[channel * 9..][..9];
            let within = channel - start;
            let (register, lane) = (within % 16 / 4, within / 16 * 4 + within % 4);
            for (tap, &weight) in taps.iter().enumerate() {
                block.weights[tap % 3][register][lane * 4 + tap / 3] = weight;
            }
            let sum: i32 = taps.iter().map(|&w| i32::from(w)).sum();
            block.bias[register][lane] = requantise.bias[channel].wrapping_sub(128 * sum);
            block.multiplier[register][lane] = requantise.multiplier[channel];
        }
        block
    }
}
