//! aarch64: tiles of several pixels × up to 16 output channels, read directly from the input.
//!
//! Each instruction set has a file with its multiplication; loops, packing and requantisation are here.

mod dotprod;
mod i8mm;
mod smull;

use std::arch::aarch64::*;

use crate::Isa;
use crate::isa::Level;
use crate::neon::{After, apart, at_dot, at_pairs, load_pair, pack, scale};
use crate::requantise::Requantise;

/// Bytes of activations processed at a time: they stay in L1 cache while all weights stream past.
const CHUNK: usize = 16 * 1024;
/// Output channels per register of sums.
const LANES: usize = 4;
/// Inputs of a pixel loaded at a time.
const STEP: usize = 16;
/// Pixels of the largest tile.
const MOST: usize = 8;

/// Runs `$body` for 0, 1, … below `$count`, at most [`MOST`], with an index that is a constant to the
/// compiler: array elements picked by it then stay in registers.
macro_rules! unroll {
    ($index:ident < $count:expr, $body:expr) => {
        unroll!(@ $index $count, $body, 0 1 2 3 4 5 6 7)
    };
    (@ $index:ident $count:expr, $body:expr, $($at:literal)*) => {{
        $(if $at < $count {
            let $index: usize = $at;
            $body;
        })*
    }};
}
use unroll;

#[derive(Debug)]
pub(super) struct Pointwise {
    isa: Isa,
    inputs: usize,
    outputs: usize,
    blocks: Vec<Block>,
    after: After,
}

/// Up to four registers of output channels.
#[derive(Debug)]
struct Block {
    /// First output channel.
    start: usize,
    /// Number of output channels.
    count: usize,
    /// Groups of four inputs (eight for `smmla`), padded with zeros.
    groups: usize,
    /// `[groups][registers]`, each in the layout of its instruction.
    weights: Vec<i8>,
    bias: [i32; 4 * LANES],
    multiplier: [f32; 4 * LANES],
    /// Zero point of the result.
    zero: i16,
    /// Whether the sum of two products can reach 2¹⁵.
    wide: bool,
}

/// Consecutive pixels: where to read them and where to write the block's channels.
#[derive(Debug, Clone, Copy)]
struct Pixels {
    count: usize,
    from: *const i8,
    stride: usize,
    to: *mut i8,
    outputs: usize,
}

impl Pointwise {
    pub(super) fn new(isa: Isa, inputs: usize, weights: &[i8], requantise: &Requantise) -> Self {
        let outputs = requantise.bias.len();
        let starts = (0..outputs).step_by(4 * LANES);
        Self {
            isa,
            inputs,
            outputs,
            blocks: starts.map(|start| Block::new(isa, start, inputs, weights, requantise)).collect(),
            after: After::of(requantise),
        }
    }

    pub(super) fn run(&self, tail: &mut Vec<i8>, input: &[i8], stride: usize, output: &mut [i8]) {
        let pixels = output.len() / self.outputs;
        let row = self.inputs.next_multiple_of(STEP);
        // Pixels of which whole steps can be read; the rest, plus some more to fill a tile, are copied.
        let whole = input.len().checked_sub(row).map_or(0, |last| last / stride + 1);
        let whole = if whole < pixels { pixels.saturating_sub((pixels - whole).max(MOST)) } else { pixels };
        let (first, last) = output.split_at_mut(whole * self.outputs);
        self.chunks(input, stride, first);
        if !last.is_empty() {
            let copied = pixels - whole;
            tail.resize(tail.len().max(copied * row), 0);
            for (to, from) in
                tail.chunks_exact_mut(row).zip(input[whole * stride..].chunks(stride)).take(copied)
            {
                to[..self.inputs].copy_from_slice(&from[..self.inputs]);
            }
            self.chunks(&tail[..copied * row], row, last);
        }
    }

    /// All pixels; whole steps must be readable.
    fn chunks(&self, input: &[i8], stride: usize, output: &mut [i8]) {
        let row = self.inputs.next_multiple_of(STEP);
        // Chunks of nearly equal size do not leave a remainder of a few pixels.
        let (pixels, most) = (output.len() / self.outputs, (CHUNK / row).max(24));
        let chunk = pixels.div_ceil(((pixels + most / 2) / most).max(1)).max(1);
        for (index, output) in output.chunks_mut(chunk * self.outputs).enumerate() {
            let count = output.len() / self.outputs;
            let input = &input[index * chunk * stride..];
            assert!(input.len() >= (count - 1) * stride + row);
            for block in &self.blocks {
                let (from, to) = (input.as_ptr(), output[block.start..].as_mut_ptr());
                let pixels = Pixels { count, from, stride, to, outputs: self.outputs };
                // SAFETY: whole steps of each pixel are readable, the block's channels lie inside each pixel
                // of the output, and `isa` is an `Isa` of this CPU.
                unsafe {
                    match self.isa.level() {
                        Level::I8mm => i8mm::run(block, pixels),
                        Level::Dotprod => dotprod::run(block, pixels),
                        _ => smull::run(block, pixels),
                    }
                }
            }
            self.after.apply(output);
        }
    }
}

impl Block {
    fn new(isa: Isa, start: usize, inputs: usize, weights: &[i8], requantise: &Requantise) -> Self {
        let count = (requantise.bias.len() - start).min(4 * LANES);
        let lanes = count.next_multiple_of(LANES);
        let (group, at): (usize, fn(usize, usize) -> usize) = match isa.level() {
            Level::I8mm => (8, i8mm::at),
            Level::Dotprod => (4, at_dot),
            _ => (4, at_pairs),
        };
        let groups = inputs.div_ceil(group);
        let mut block = Self {
            start,
            count,
            groups,
            weights: vec![0; groups * group * lanes],
            bias: [0; 4 * LANES],
            multiplier: [0.0; 4 * LANES],
            zero: requantise.zero as i16,
            wide: weights[start * inputs..][..count * inputs].contains(&i8::MIN),
        };
        for channel in 0..count {
            let row = &weights[(start + channel) * inputs..][..inputs];
            for (i, &weight) in row.iter().enumerate() {
                block.weights[i / group * group * lanes + at(channel, i % group)] = weight;
            }
            block.bias[channel] = requantise.bias[start + channel];
            block.multiplier[channel] = requantise.multiplier[start + channel];
        }
        block
    }

    /// The biases as initial sums of several pixels.
    #[inline(always)]
    fn biases<const PIXELS: usize, const REGISTERS: usize>(&self) -> [[int32x4_t; REGISTERS]; PIXELS] {
        // SAFETY: the bias fills four registers.
        unsafe {
            let at = self.bias.as_ptr();
            std::array::from_fn(|_| {
                let low = load_pair(at);
                let high = if REGISTERS > 2 { load_pair(at.add(2 * LANES)) } else { low };
                std::array::from_fn(|r| if r < 2 { low[r] } else { high[r - 2] })
            })
        }
    }

    /// Requantises the sums of several pixels and stores them.
    ///
    /// # Safety
    /// The block's channels must be writable at each pixel.
    #[inline(always)]
    unsafe fn write<const PIXELS: usize, const REGISTERS: usize>(
        &self,
        sums: &[[int32x4_t; REGISTERS]; PIXELS],
        pixels: Pixels,
    ) {
        // Number of pixels whose results share a register.
        let share = if REGISTERS == 3 { 1 } else { 4 / REGISTERS };
        // SAFETY: upheld by the caller; there are four registers of multipliers.
        unsafe {
            let mut multiplier = [vdupq_n_f32(0.0); REGISTERS];
            unroll!(r < REGISTERS, multiplier[r] = vld1q_f32(self.multiplier.as_ptr().add(r * LANES)));
            let zero = vdupq_n_s16(self.zero);
            let mut q = [vdupq_n_s8(0); PIXELS];
            unroll!(index < PIXELS.div_ceil(share), {
                let mut values = [vdupq_n_f32(0.0); 4];
                unroll!(i < 4, {
                    let pixel =
                        (index * share + if REGISTERS == 3 { 0 } else { i / REGISTERS }).min(PIXELS - 1);
                    values[i] = scale(sums[pixel][i % REGISTERS], multiplier[i % REGISTERS]);
                });
                q[index] = pack(values, zero);
            });
            if self.count == REGISTERS * LANES {
                unroll!(pixel < PIXELS, {
                    store::<REGISTERS>(
                        pixels.to.add(pixel * pixels.outputs),
                        q[pixel / share],
                        pixel % share,
                    );
                });
            } else {
                let mut bytes = [0i8; 16 * MOST];
                unroll!(
                    index < PIXELS.div_ceil(share),
                    vst1q_s8(bytes.as_mut_ptr().add(index * 16), q[index])
                );
                for pixel in 0..PIXELS {
                    let from = bytes.as_ptr().add(pixel / share * 16 + pixel % share * REGISTERS * LANES);
                    std::ptr::copy_nonoverlapping(from, pixels.to.add(pixel * pixels.outputs), self.count);
                }
            }
        }
    }
}

/// Stores part `part` of a register, `REGISTERS · LANES` bytes.
///
/// # Safety
/// They must be writable.
#[inline(always)]
unsafe fn store<const REGISTERS: usize>(to: *mut i8, q: int8x16_t, part: usize) {
    // SAFETY: upheld by the caller.
    unsafe {
        let (wide, narrow) = (vreinterpretq_s64_s8(q), vreinterpretq_s32_s8(q));
        match (REGISTERS, part) {
            (1, 0) => vst1q_lane_s32::<0>(to.cast(), narrow),
            (1, 1) => vst1q_lane_s32::<1>(to.cast(), narrow),
            (1, 2) => vst1q_lane_s32::<2>(to.cast(), narrow),
            (1, _) => vst1q_lane_s32::<3>(to.cast(), narrow),
            (2, 0) => vst1q_lane_s64::<0>(to.cast(), wide),
            (2, _) => vst1q_lane_s64::<1>(to.cast(), wide),
            (3, _) => {
                vst1q_lane_s64::<0>(to.cast(), wide);
                vst1q_lane_s32::<2>(to.add(8).cast(), narrow);
            }
            _ => vst1q_s8(to, q),
        }
    }
}

/// Calls `$tile` for all pixels: tiles of `$large` and of `$small` pixels, one less, which leave no remainder
/// from a certain count on (20 for 6 and 5); below it, single pixels cover the remainder.
macro_rules! tiles {
    ($block:expr, $pixels:expr, $tile:ident, $large:literal, $small:literal, $registers:literal $(, $wide:ident)?) => {{
        let Pixels { count, mut from, stride, mut to, outputs } = $pixels;
        let tiles = count.div_ceil($large);
        let large = count.checked_sub(tiles * $small).unwrap_or(count / $large);
        let small = (count - large * $large) / $small;
        for _ in 0..large {
            $tile::<$large, $registers $(, $wide)?>($block, Pixels { count, from, stride, to, outputs });
            (from, to) = (from.add($large * stride), to.add($large * outputs));
        }
        for _ in 0..small {
            $tile::<$small, $registers $(, $wide)?>($block, Pixels { count, from, stride, to, outputs });
            (from, to) = (from.add($small * stride), to.add($small * outputs));
        }
        for _ in large * $large + small * $small..count {
            $tile::<1, $registers $(, $wide)?>($block, Pixels { count, from, stride, to, outputs });
            (from, to) = (from.add(stride), to.add(outputs));
        }
    }};
}
use tiles;
