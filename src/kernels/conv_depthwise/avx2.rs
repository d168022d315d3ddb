//! AVX2, 3×3: bytes widened to i16, `vpmaddwd` over pairs of taps, 16 channels at a time.

use std::arch::x86_64::*;

use crate::kernels::conv_pointwise::avx2::finish;
use crate::kernels::patches::Window;
use crate::kernels::requantise::Requantise;

/// Channels worked on together.
const LANES: usize = 16;
/// Pairs of taps; the tenth tap is zero.
const PAIRS: usize = 5;

#[derive(Debug)]
pub(super) struct Depthwise {
    window: Window,
    padding: [i8; LANES],
    blocks: Vec<Block>,
    requantise: Requantise,
}

/// Constants of 16 channels. Unpacking leaves channels 0..4 and 8..12 in register 0, the others in register 1.
#[derive(Debug)]
struct Block {
    /// `[pair][register][lane][tap, tap]`.
    weights: [[[i16; LANES]; 2]; PAIRS],
    bias: [[i32; 8]; 2],
    multiplier: [[f32; 8]; 2],
}

impl Depthwise {
    pub(super) fn new(window: Window, padding: i8, weights: &[i8], requantise: Requantise) -> Self {
        let starts = (0..requantise.bias.len()).step_by(LANES);
        let blocks = starts.map(|start| Block::new(start, weights, &requantise)).collect();
        Self { window, padding: [padding; LANES], blocks, requantise }
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn run(&self, input: &[i8], first: usize, output: &mut [i8]) {
        let channels = self.requantise.bias.len();
        let [_, width] = self.window.output;
        for (y, output) in output.chunks_exact_mut(width * channels).enumerate() {
            for (index, block) in self.blocks.iter().enumerate() {
                for x in 0..width {
                    let start = index * LANES;
                    let count = LANES.min(channels - start);
                    let taps = std::array::from_fn(|tap| self.tap(input, first + y, x, tap, start, count));
                    let q = block.pixel(taps, self.requantise.bounds());
                    let output = &mut output[x * channels + start..][..count];
                    for (to, q) in output.iter_mut().zip(q) {
                        *to = self.requantise.table.as_ref().map_or(q, |table| table.get(q));
                    }
                }
            }
        }
    }

    /// 16 channels under a tap, widened; zeros beyond `count` and for the tenth tap.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn tap(&self, input: &[i8], y: usize, x: usize, tap: usize, start: usize, count: usize) -> __m256i {
        if tap == 9 {
            return _mm256_setzero_si256();
        }
        let channels = self.requantise.bias.len();
        let place = self.window.source(0, y, tap / 3).zip(self.window.source(1, x, tap % 3));
        let from = match place {
            Some((row, column)) => {
                &input[(row * self.window.input[1] + column) * channels + start..][..count]
            }
            None => &self.padding[..count],
        };
        let mut tail = [0; LANES];
        let from = if count == LANES {
            from
        } else {
            tail[..count].copy_from_slice(from);
            &tail
        };
        // SAFETY: LANES bytes.
        _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(from.as_ptr().cast()) })
    }
}

impl Block {
    fn new(start: usize, weights: &[i8], requantise: &Requantise) -> Self {
        let mut block =
            Self { weights: [[[0; LANES]; 2]; PAIRS], bias: [[0; 8]; 2], multiplier: [[0.0; 8]; 2] };
        for channel in start..requantise.bias.len().min(start + LANES) {
            let within = channel - start;
            let (register, lane) = (within % 8 / 4, within / 8 * 4 + within % 4);
            for (tap, &weight) in weights[channel * 9..][..9].iter().enumerate() {
                block.weights[tap / 2][register][lane * 2 + tap % 2] = i16::from(weight);
            }
            block.bias[register][lane] = requantise.bias[channel];
            block.multiplier[register][lane] = requantise.multiplier[channel];
        }
        block
    }

    /// One pixel, without a table.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn pixel(&self, taps: [__m256i; 2 * PAIRS], bounds: (f32, f32, i16)) -> [i8; LANES] {
        // SAFETY: all constants are 32 bytes.
        let (mut sums, multiplier) = unsafe {
            (
                self.bias.each_ref().map(|b| _mm256_loadu_si256(b.as_ptr().cast())),
                self.multiplier.each_ref().map(|m| _mm256_loadu_ps(m.as_ptr())),
            )
        };
        for (pair, weights) in self.weights.iter().enumerate() {
            let (a, b) = (taps[2 * pair], taps[2 * pair + 1]);
            let values = [_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)];
            for v in 0..2 {
                // SAFETY: 32 bytes.
                let weights = unsafe { _mm256_loadu_si256(weights[v].as_ptr().cast()) };
                sums[v] = _mm256_add_epi32(sums[v], _mm256_madd_epi16(values[v], weights));
            }
        }
        // Lanes of 128 bits hold four channels of either register: into the order that `finish` takes.
        let order = |[a, b]: [__m256i; 2]| {
            [_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b)]
        };
        let multiplier = order(multiplier.map(|m| _mm256_castps_si256(m))).map(|m| _mm256_castsi256_ps(m));
        finish(order(sums), multiplier, bounds)
    }
}
