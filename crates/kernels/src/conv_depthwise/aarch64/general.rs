//! Any kernel size: collects the addresses of each pixel's taps, then works on eight channels at a time
//! over pairs of taps.
//!
//! If no weight is −128, a product is at most 128 · 127, so two sum to at most 32 512 and fit i16. Otherwise
//! each product is added by itself.

use std::arch::aarch64::*;

use super::{Depthwise, LANES};
use crate::neon::{pack_half, scale};
use crate::requantise::Requantise;

/// Taps of the largest kernel, 7×7, plus one to make the number even.
pub(super) const MAX_TAPS: usize = 50;

/// Constants of eight channels.
#[derive(Debug)]
pub(super) struct Block {
    start: usize,
    /// `[pair][tap]`; with an odd number of taps the last one is zero.
    weights: Vec<[[i8; LANES]; 2]>,
    bias: [i32; LANES],
    multiplier: [f32; LANES],
    /// Whether the sum of two products can reach 2¹⁵.
    wide: bool,
}

impl Block {
    pub(super) fn new((weights, requantise, start): (&[i8], &Requantise, usize)) -> Self {
        let taps = weights.len() / LANES;
        let mut block = Self {
            start,
            weights: vec![[[0; LANES]; 2]; taps.div_ceil(2)],
            bias: [0; LANES],
            multiplier: [0.0; LANES],
            wide: weights.contains(&i8::MIN),
        };
        for (channel, row) in weights.chunks_exact(taps).enumerate() {
            for (tap, &weight) in row.iter().enumerate() {
                block.weights[tap / 2][tap % 2][channel] = weight;
            }
        }
        block.bias.copy_from_slice(&requantise.bias[start..][..LANES]);
        block.multiplier.copy_from_slice(&requantise.multiplier[start..][..LANES]);
        block
    }
}

/// Output row `y`.
pub(super) fn run(conv: &Depthwise, blocks: &[Block], input: &[i8], y: usize, output: &mut [i8]) {
    let (window, channels) = (&conv.window, conv.channels);
    let [rows, columns] = window.kernel;
    let padding = conv.padding[..channels].as_ptr();
    let mut places = [padding; MAX_TAPS];
    for (x, output) in output.chunks_exact_mut(channels).enumerate() {
        for (row, places) in places[..rows * columns].chunks_exact_mut(columns).enumerate() {
            let line = conv.line(input, y, row);
            for (tap, place) in places.iter_mut().enumerate() {
                let column =
                    window.source(1, x, tap).map(|column| line[column * channels..][..channels].as_ptr());
                *place = column.unwrap_or(padding);
            }
        }
        for block in blocks {
            let places = &places[..2 * block.weights.len()];
            let to = &mut output[block.start..][..LANES];
            // SAFETY: all channels are readable at each address.
            let q = unsafe {
                if block.wide {
                    block.pixel::<true>(places, conv.zero)
                } else {
                    block.pixel::<false>(places, conv.zero)
                }
            };
            // SAFETY: eight values.
            unsafe { vst1_s8(to.as_mut_ptr(), q) };
        }
    }
}

impl Block {
    /// # Safety
    /// The block's channels must be readable at each address.
    #[inline(always)]
    unsafe fn pixel<const WIDE: bool>(&self, places: &[*const i8], zero: i16) -> int8x8_t {
        // SAFETY: upheld by the caller; the constants cover eight channels.
        unsafe {
            let mut sums = [vld1q_s32(self.bias.as_ptr()), vld1q_s32(self.bias.as_ptr().add(4))];
            let mut add = |products: int16x8_t| {
                sums[0] = vaddw_s16(sums[0], vget_low_s16(products));
                sums[1] = vaddw_high_s16(sums[1], products);
            };
            for (&[a, b], weights) in places.as_chunks::<2>().0.iter().zip(&self.weights) {
                let [v, w] = weights.each_ref().map(|w| vld1_s8(w.as_ptr()));
                let (a, b) = (vld1_s8(a.add(self.start)), vld1_s8(b.add(self.start)));
                if WIDE {
                    add(vmull_s8(a, v));
                    add(vmull_s8(b, w));
                } else {
                    add(vmlal_s8(vmull_s8(a, v), b, w));
                }
            }
            let multiplier =
                [vld1q_f32(self.multiplier.as_ptr()), vld1q_f32(self.multiplier.as_ptr().add(4))];
            pack_half([scale(sums[0], multiplier[0]), scale(sums[1], multiplier[1])], vdupq_n_s16(zero))
        }
    }
}
