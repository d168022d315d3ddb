//! Matrix products in registers: blocks of output channels times several pixels. Activations are first
//! rearranged for the product instruction, in scratch that stays in L1 cache while all weights stream past.

use std::mem::MaybeUninit;

use crate::requantise::Requantise;
use crate::table::vector::replace;
use crate::vector::{Epilogue, Vector};

/// Bytes of activations processed at a time.
const CHUNK: usize = 16 * 1024;

/// A weight matrix packed for one instruction set. Its inputs come in segments, runs of contiguous
/// activations: one segment for a pointwise convolution, one per kernel row for others.
#[derive(Debug)]
pub(crate) struct Matrix<V: Vector> {
    outputs: usize,
    segments: usize,
    /// Bytes of a segment's activations, a multiple of four.
    segment: usize,
    tiles: Vec<Tile<V>>,
    requantise: Requantise,
}

/// Up to four blocks of output channels, each one register wide.
#[derive(Debug)]
struct Tile<V: Vector> {
    /// First output channel. The last tile overlaps the previous one.
    start: usize,
    /// Number of output channels; fewer than `LANES · blocks` if there are no more.
    count: usize,
    blocks: usize,
    /// `[segments][inputs / GROUP][blocks][LANES][GROUP]`, zero-padded.
    weights: Vec<V::Weight>,
    /// `[blocks][LANES]`, same for the multipliers.
    bias: Vec<i32>,
    multiplier: Vec<f32>,
}

impl<V: Vector> Matrix<V> {
    /// Packs `[outputs, segments, inputs]`.
    pub(crate) fn new(segments: usize, weights: &[i8], requantise: Requantise) -> Self {
        let outputs = requantise.bias.len();
        let inputs = weights.len() / outputs / segments;
        let blocks = outputs.div_ceil(V::LANES);
        let ends: Vec<usize> = if V::BYTES == 64 {
            // At most four per tile, as even as possible: 15 blocks become 4, 4, 4 and 3.
            let count = blocks.div_ceil(4);
            (0..=count).map(|tile| (tile * blocks).div_ceil(count)).collect()
        } else {
            (0..blocks).step_by(2).chain([blocks]).collect()
        };
        let tiles = ends.windows(2).map(|ends| Tile::new([ends[0], ends[1]], segments, weights, &requantise));
        let tiles = tiles.collect();
        let segment = inputs.next_multiple_of(V::GROUP) * (4 / V::GROUP);
        Self { outputs, segments, segment, tiles, requantise }
    }

    pub(crate) fn requantise(&self) -> &Requantise {
        &self.requantise
    }
}

impl<V: Vector> Tile<V> {
    fn new([first, end]: [usize; 2], segments: usize, weights: &[i8], requantise: &Requantise) -> Self {
        let (outputs, blocks) = (requantise.bias.len(), end - first);
        let width = blocks * V::LANES;
        let start = (first * V::LANES).min(outputs.saturating_sub(width));
        let inputs = weights.len() / outputs / segments;
        let groups = inputs.div_ceil(V::GROUP);
        let mut tile = Self {
            start,
            count: width.min(outputs),
            blocks,
            weights: vec![V::Weight::default(); segments * groups * width * V::GROUP],
            bias: vec![0; width],
            multiplier: vec![0.0; width],
        };
        for channel in 0..tile.count {
            let row = &weights[(start + channel) * segments * inputs..][..segments * inputs];
            for (i, &weight) in row.iter().enumerate() {
                let (segment, i) = (i / inputs, i % inputs);
                let group = segment * groups + i / V::GROUP;
                tile.weights[(group * width + channel) * V::GROUP + i % V::GROUP] = weight.into();
            }
            let sum = row.iter().fold(0i32, |sum, &w| sum.wrapping_add(i32::from(w)));
            tile.bias[channel] = requantise.bias[start + channel].wrapping_sub(sum.wrapping_mul(128));
            tile.multiplier[channel] = requantise.multiplier[start + channel];
        }
        tile
    }
}

/// Rearranges activations into what [`Vector::dot`] takes; may write up to two registers past the end.
///
/// # Safety
/// Same as [`Vector`], here and below; there must be room at `to`.
#[inline(always)]
pub(crate) unsafe fn activations<V: Vector>(from: &[i8], count: usize, to: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let sign = V::splat_byte(-128);
        for at in (0..count).step_by(V::BYTES) {
            V::write_activations(to.add(at * 4 / V::GROUP), V::xor(V::first(&from[at..]), sign));
        }
    }
}

/// Pixels of `inputs` activations that start every `stride` values.
#[inline(always)]
pub(super) unsafe fn run<V: Vector>(
    matrix: &Matrix<V>,
    inputs: usize,
    scratch: &mut Vec<u8>,
    input: &[i8],
    stride: usize,
    output: &mut [i8],
) {
    let row = matrix.segment;
    let chunk = (CHUNK / row).max(24);
    scratch.resize(chunk * row + 2 * V::BYTES, 0);
    // SAFETY: upheld by the caller; the scratch has room for a chunk and two registers.
    unsafe {
        let epilogue = Epilogue::new(&matrix.requantise);
        for (index, output) in output.chunks_mut(chunk * matrix.outputs).enumerate() {
            let (pixels, input) = (output.len() / matrix.outputs, &input[index * chunk * stride..]);
            if stride == row / 4 * V::GROUP {
                activations::<V>(input, pixels * stride, scratch.as_mut_ptr());
            } else {
                for pixel in 0..pixels {
                    activations::<V>(&input[pixel * stride..], inputs, scratch.as_mut_ptr().add(pixel * row));
                }
            }
            multiply(matrix, &epilogue, scratch, |pixel| pixel * row, 0, output);
        }
    }
}

/// All outputs of the given pixels. Their first segments start at byte `at(pixel)` of `input`, which
/// increases with `pixel`; the segments of one pixel are `line` bytes apart.
#[inline(always)]
pub(crate) unsafe fn multiply<V: Vector>(
    matrix: &Matrix<V>,
    epilogue: &Epilogue<V>,
    input: &[u8],
    at: impl Fn(usize) -> usize + Copy,
    line: usize,
    output: &mut [i8],
) {
    let pixels = output.len() / matrix.outputs;
    if pixels == 0 {
        return;
    }
    // A tile of two 32-byte blocks would fill only half a register for the table look-up.
    let mut epilogue = *epilogue;
    let table = if V::BYTES == 64 { None } else { epilogue.take_table() };
    let epilogue = &epilogue;
    assert!(at(pixels - 1) + (matrix.segments - 1) * line + matrix.segment <= input.len());
    for tile in &matrix.tiles {
        // SAFETY: upheld by the caller; the range is asserted above.
        unsafe {
            match (tile.blocks, V::BYTES) {
                (1, _) => tiles::<V, 12, 1>(matrix, tile, epilogue, input, at, line, output),
                (2, 64) => tiles::<V, 12, 2>(matrix, tile, epilogue, input, at, line, output),
                (2, _) if V::GROUP == 4 => tiles::<V, 5, 2>(matrix, tile, epilogue, input, at, line, output),
                (2, _) => tiles::<V, 6, 2>(matrix, tile, epilogue, input, at, line, output),
                (3, 64) => tiles::<V, 8, 3>(matrix, tile, epilogue, input, at, line, output),
                (_, 64) => tiles::<V, 6, 4>(matrix, tile, epilogue, input, at, line, output),
                _ => unreachable!("32-byte registers have tiles of at most two blocks"),
            }
        }
    }
    if let Some(table) = &table {
        // SAFETY: upheld by the caller.
        unsafe { replace::<V>(table, output) };
    }
}

/// All pixels of a tile. If the last ones do not fill the registers, some earlier pixels are
/// computed again with them.
#[inline(always)]
unsafe fn tiles<V: Vector, const PIXELS: usize, const BLOCKS: usize>(
    matrix: &Matrix<V>,
    tile: &Tile<V>,
    epilogue: &Epilogue<V>,
    input: &[u8],
    at: impl Fn(usize) -> usize,
    line: usize,
    output: &mut [i8],
) {
    let pixels = output.len() / matrix.outputs;
    let mut pixel = 0;
    // SAFETY: upheld by the caller.
    unsafe {
        while pixel < pixels && pixels >= PIXELS {
            let first = pixel.min(pixels - PIXELS);
            let mut from = [input.as_ptr(); PIXELS];
            for (p, from) in from.iter_mut().enumerate() {
                *from = from.add(at(first + p));
            }
            one::<V, PIXELS, BLOCKS>(
                matrix,
                tile,
                epilogue,
                from,
                line,
                &mut output[first * matrix.outputs..],
            );
            pixel += PIXELS;
        }
        for pixel in pixel..pixels {
            let from = [input.as_ptr().add(at(pixel))];
            one::<V, 1, BLOCKS>(matrix, tile, epilogue, from, line, &mut output[pixel * matrix.outputs..]);
        }
    }
}

/// The channels of one tile for pixels at the given positions.
#[inline(always)]
unsafe fn one<V: Vector, const PIXELS: usize, const BLOCKS: usize>(
    matrix: &Matrix<V>,
    tile: &Tile<V>,
    epilogue: &Epilogue<V>,
    from: [*const u8; PIXELS],
    line: usize,
    output: &mut [i8],
) {
    // SAFETY: upheld by the caller; `Tile::new` makes weights, biases and multipliers as
    // long as they are read.
    unsafe {
        let mut bias = [V::splat_byte(0); BLOCKS];
        let mut multiplier = [V::splat_float(0.0); BLOCKS];
        for block in 0..BLOCKS {
            bias[block] = V::read(tile.bias.as_ptr().add(block * V::LANES));
            multiplier[block] = V::read_floats(tile.multiplier.as_ptr().add(block * V::LANES));
        }
        let mut sums = [bias; PIXELS];
        let mut weights = tile.weights.as_ptr().cast::<u8>();
        for segment in 0..matrix.segments {
            let start = segment * line;
            for at in (start..start + matrix.segment).step_by(4) {
                let mut w = [bias[0]; BLOCKS];
                for w in &mut w {
                    *w = V::read(weights);
                    weights = weights.add(V::BYTES);
                }
                for (from, sums) in from.iter().zip(&mut sums) {
                    let x = V::broadcast(from.add(at));
                    for (sum, &w) in sums.iter_mut().zip(&w) {
                        *sum = V::dot(*sum, x, w);
                    }
                }
            }
        }
        // Indexed below by more than constants: kept separate, so that the sums above stay in registers.
        let mut done = [[MaybeUninit::uninit(); BLOCKS]; PIXELS];
        for (done, sums) in done.iter_mut().zip(&sums) {
            for (done, &sum) in done.iter_mut().zip(sums) {
                done.write(sum);
            }
        }
        for (pixel, sums) in done.iter().enumerate() {
            let mut rounded = [V::splat_byte(0); 4];
            for block in 0..BLOCKS {
                rounded[block] = epilogue.round(sums[block].assume_init(), multiplier[block]);
            }
            let to = &mut output[pixel * matrix.outputs + tile.start..][..tile.count];
            V::write_first(to, V::in_order(epilogue.finish(rounded)));
        }
    }
}
