//! 3×3 and 5×5 in registers: the rows under a column are interleaved channel by channel, so that one
//! product instruction adds up a column (or half of a 5-row column) of many channels. Interleaved columns
//! are kept in a buffer in L1 cache and serve all windows they belong to: horizontal neighbours and, with
//! stride 1, two output rows.

use crate::patches::Window;
use crate::requantise::Requantise;
use crate::vector::{Epilogue, Vector};

/// Bytes of interleaved columns: half of a typical L1 data cache.
const BUFFER: usize = 24 * 1024;

/// A depthwise convolution with its weights packed for one instruction set.
#[derive(Debug)]
pub(super) struct Depthwise<V: Vector> {
    window: Window,
    channels: usize,
    padding: [i8; 64],
    blocks: Vec<Block<V>>,
    requantise: Requantise,
}

/// Constants of `V::BYTES` channels. Lane `4l + e` of register v belongs to channel `16l + 4v + e`, the order
/// that interleaving produces.
#[derive(Debug)]
struct Block<V: Vector> {
    /// First channel. The last block overlaps the previous one.
    start: usize,
    /// `[output row][column][group of rows][register][lane][row]`, zeros outside the kernel.
    weights: Vec<V::Weight>,
    /// `[register][lane]`, same for the multipliers.
    bias: Vec<i32>,
    multiplier: Vec<f32>,
}

/// Whether this file supports the window: the buffer must hold two of them.
pub(super) fn fits(window: &Window) -> bool {
    window.is_plain() && (window.kernel == [3, 3] || window.kernel == [5, 5]) && window.stride[1] <= 8
}

/// Output rows done together: two if their interleaved columns overlap in all but one row.
fn rows(window: &Window) -> usize {
    if window.stride == [1, 1] { 2 } else { 1 }
}

impl<V: Vector> Depthwise<V> {
    pub(super) fn new(window: Window, padding: i8, weights: &[i8], requantise: Requantise) -> Self {
        let channels = requantise.bias.len();
        let last = channels.saturating_sub(V::BYTES);
        let starts = (0..channels.div_ceil(V::BYTES)).map(|block| (block * V::BYTES).min(last));
        let blocks = starts.map(|start| Block::new(start, &window, weights, &requantise)).collect();
        Self { window, channels, padding: [padding; 64], blocks, requantise }
    }
}

impl<V: Vector> Block<V> {
    fn new(start: usize, window: &Window, weights: &[i8], requantise: &Requantise) -> Self {
        let ([height, width], rows) = (window.kernel, rows(window));
        let groups = (height + rows - 1).div_ceil(V::GROUP);
        let lanes = 4 * V::LANES;
        let mut block = Self {
            start,
            weights: vec![V::Weight::default(); rows * width * groups * lanes * V::GROUP],
            bias: vec![0; lanes],
            multiplier: vec![0.0; lanes],
        };
        for channel in start..requantise.bias.len().min(start + V::BYTES) {
            let within = channel - start;
            let lane = within % 16 / 4 * V::LANES + within / 16 * 4 + within % 4;
            let taps = &weights[channel * height * width..][..height * width];
            for (tap, &weight) in taps.iter().enumerate() {
                for row in 0..rows {
                    let (under, column) = (row + tap / width, tap % width);
                    let group = (row * width + column) * groups + under / V::GROUP;
                    block.weights[(group * lanes + lane) * V::GROUP + under % V::GROUP] = weight.into();
                }
            }
            let sum: i32 = taps.iter().map(|&w| i32::from(w)).sum();
            block.bias[lane] = requantise.bias[channel].wrapping_sub(128 * sum);
            block.multiplier[lane] = requantise.multiplier[channel];
        }
        block
    }
}

/// # Safety
/// Same as [`Vector`], here and below.
#[inline(always)]
pub(super) unsafe fn run<V: Vector>(conv: &Depthwise<V>, input: &[i8], first: usize, output: &mut [i8]) {
    // SAFETY: upheld by the caller; the numbers of groups match `Block::new`.
    unsafe {
        match (conv.window.kernel[0], V::GROUP) {
            (3, 4) => bands::<V, 3, 1>(conv, input, first, output),
            (3, _) => bands::<V, 3, 2>(conv, input, first, output),
            (_, 4) => bands::<V, 5, 2>(conv, input, first, output),
            _ => bands::<V, 5, 3>(conv, input, first, output),
        }
    }
}

#[repr(align(64))]
struct Buffer([u8; BUFFER]);

#[inline(always)]
unsafe fn bands<V: Vector, const COLUMNS: usize, const GROUPS: usize>(
    conv: &Depthwise<V>,
    input: &[i8],
    first: usize,
    output: &mut [i8],
) {
    let (width, step) = (conv.window.output[1], conv.window.stride[1]);
    let line = width * conv.channels;
    let mut buffer = Buffer([0; BUFFER]);
    // An even number of windows.
    let windows = (((BUFFER / (GROUPS * 4 * V::BYTES)).saturating_sub(COLUMNS) / step + 1) & !1).max(2);
    assert!(((windows - 1) * step + COLUMNS) * GROUPS * 4 * V::BYTES <= BUFFER);
    // SAFETY: upheld by the caller; the buffer holds the columns of `windows` windows.
    unsafe {
        let epilogue = Epilogue::<V>::new(&conv.requantise);
        let rows = rows(&conv.window);
        for (band, output) in output.chunks_mut(rows * line).enumerate() {
            let y = first + band * rows;
            for block in &conv.blocks {
                for x in (0..width).step_by(windows) {
                    let count = windows.min(width - x);
                    let columns = (count - 1) * step + COLUMNS;
                    interleave::<V, GROUPS>(conv, block.start, input, [y, x], columns, &mut buffer);
                    let count = [x, count];
                    if output.len() == line {
                        convolve::<V, COLUMNS, GROUPS, 1>(
                            conv, block, &epilogue, &buffer, step, count, output,
                        );
                    } else {
                        convolve::<V, COLUMNS, GROUPS, 2>(conv, block, &epilogue, &buffer, 1, count, output);
                    }
                }
            }
        }
    }
}

/// Fills the buffer with `columns` columns, starting at the first one under output `at`:
/// `[column][group][register]`.
#[inline(always)]
unsafe fn interleave<V: Vector, const GROUPS: usize>(
    conv: &Depthwise<V>,
    start: usize,
    input: &[i8],
    at: [usize; 2],
    columns: usize,
    buffer: &mut Buffer,
) {
    let (window, channels) = (&conv.window, conv.channels);
    // The first column inside the input and the end of the last one, relative to the left edge
    // of the first window.
    let left = at[1] * window.stride[1];
    let begin = window.pad[1].saturating_sub(left).min(columns);
    let end = (window.pad[1] + window.input[1]).saturating_sub(left).clamp(begin, columns);
    // Each row from column `begin` on, and the step between its columns.
    let mut rows = [[(&conv.padding[..], 0); 4]; GROUPS];
    // Number of columns from `begin` on at which a whole register can be read.
    let mut whole = end - begin;
    if whole > 0 {
        for (group, rows) in rows.iter_mut().enumerate() {
            for (tap, row) in rows.iter_mut().enumerate().take(V::GROUP) {
                if let Some(y) = window.source(0, at[0], group * V::GROUP + tap) {
                    let first = y * window.input[1] + left + begin - window.pad[1];
                    *row = (&input[first * channels + start..], channels);
                    whole = whole.min((row.0.len() + channels).saturating_sub(V::BYTES) / channels);
                }
            }
        }
    }
    // SAFETY: upheld by the caller; the buffer holds the columns, and each row has `whole` registers.
    unsafe {
        let sign = V::splat_byte(-128);
        let padding = V::interleave([V::xor(V::splat_byte(conv.padding[0]), sign); 4]);
        let mut to = buffer.0.as_mut_ptr().cast::<i8>();
        for _ in 0..begin * GROUPS {
            to = write::<V>(to, padding);
        }
        let mut from = rows.map(|rows| rows.map(|(row, _)| row.as_ptr()));
        for _ in 0..whole {
            for (from, rows) in from.iter_mut().zip(&rows) {
                let mut values = [sign; 4];
                for tap in 0..V::GROUP {
                    values[tap] = V::xor(V::read(from[tap]), sign);
                    from[tap] = from[tap].wrapping_add(rows[tap].1);
                }
                to = write::<V>(to, V::interleave(values));
            }
        }
        for column in whole..end - begin {
            for rows in &rows {
                let mut values = [sign; 4];
                for tap in 0..V::GROUP {
                    let (row, step) = rows[tap];
                    values[tap] = V::xor(V::first(&row[column * step..]), sign);
                }
                to = write::<V>(to, V::interleave(values));
            }
        }
        for _ in 0..(columns - end) * GROUPS {
            to = write::<V>(to, padding);
        }
    }
}

/// Stores four registers; returns where the next ones go.
#[inline(always)]
unsafe fn write<V: Vector>(to: *mut i8, values: [V::Ints; 4]) -> *mut i8 {
    // SAFETY: the caller guarantees enough room.
    unsafe {
        for (v, value) in values.into_iter().enumerate() {
            V::write(to.add(v * V::BYTES), value);
        }
        to.add(4 * V::BYTES)
    }
}

/// Windows `x..x + count` of one or two output rows, from interleaved columns.
#[inline(always)]
unsafe fn convolve<V: Vector, const COLUMNS: usize, const GROUPS: usize, const ROWS: usize>(
    conv: &Depthwise<V>,
    block: &Block<V>,
    epilogue: &Epilogue<V>,
    buffer: &Buffer,
    step: usize,
    [x, count]: [usize; 2],
    output: &mut [i8],
) {
    let (buffer, weights) = (buffer.0.as_ptr(), block.weights.as_ptr());
    let (width, channels) = (conv.window.output[1], conv.channels);
    let within = V::BYTES.min(channels - block.start);
    // SAFETY: upheld by the caller. `bands` leaves room for an even number of windows; the constants have the
    // lengths that `Block::new` gives them.
    unsafe {
        for window in (0..count).step_by(2) {
            let mut rounded = [[[V::splat_byte(0); 4]; 2]; ROWS];
            for v in 0..4 {
                let mut sums = [[V::read(block.bias.as_ptr().add(v * V::LANES)); 2]; ROWS];
                for column in 0..COLUMNS {
                    for group in 0..GROUPS {
                        let at = |window: usize| {
                            ((window * step + column) * GROUPS + group) * 4 * V::BYTES + v * V::BYTES
                        };
                        let x = [V::read(buffer.add(at(window))), V::read(buffer.add(at(window + 1)))];
                        for (row, sums) in sums.iter_mut().enumerate() {
                            let w = ((row * COLUMNS + column) * GROUPS + group) * 4 + v;
                            let w = V::read(weights.add(w * V::LANES * V::GROUP));
                            sums[0] = V::dot(sums[0], x[0], w);
                            sums[1] = V::dot(sums[1], x[1], w);
                        }
                    }
                }
                let multiplier = V::read_floats(block.multiplier.as_ptr().add(v * V::LANES));
                for (rounded, sums) in rounded.iter_mut().zip(sums) {
                    rounded[0][v] = epilogue.round(sums[0], multiplier);
                    rounded[1][v] = epilogue.round(sums[1], multiplier);
                }
            }
            for (row, rounded) in rounded.iter().enumerate() {
                for (beside, &rounded) in rounded.iter().enumerate().take(count - window) {
                    let at = (row * width + x + window + beside) * channels + block.start;
                    V::write_first(&mut output[at..][..within], epilogue.finish(rounded));
                }
            }
        }
    }
}
