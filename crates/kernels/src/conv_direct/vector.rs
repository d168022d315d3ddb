//! Without gathering patches: scratch holds a padded copy of several input rows, and the windows are read
//! from it in place. Within one kernel row, the activations under a window are contiguous: they form a
//! segment of the matrix.

use crate::bounds;
use crate::conv_pointwise::Scratch;
use crate::conv_pointwise::vector::{Matrix, activations, multiply};
use crate::patches::Window;
use crate::requantise::Requantise;
use crate::vector::{Epilogue, Vector};

/// Activations of padded input rows processed at a time (but at least one row of windows).
const CHUNK: usize = 48 * 1024;

/// A convolution with its weights packed for one instruction set.
#[derive(Debug)]
pub(super) struct Direct<V: Vector> {
    window: Window,
    padding: i8,
    inputs: usize,
    outputs: usize,
    matrix: Matrix<V>,
}

impl<V: Vector> Direct<V> {
    pub(super) fn new(window: Window, padding: i8, weights: &[i8], requantise: Requantise) -> Self {
        let outputs = requantise.bias.len();
        let inputs = weights.len() / outputs / window.kernel[0] / window.kernel[1];
        // Activations in the scratch take up to four bytes each.
        assert!(bounds::product([4, inputs]).is_some_and(|bytes| window.is_sound(bytes, outputs)));
        Self { window, padding, inputs, outputs, matrix: Matrix::new(window.kernel[0], weights, requantise) }
    }
}

/// # Safety
/// Same as [`Vector`], here and below.
#[inline(always)]
pub(super) unsafe fn run<V: Vector>(
    conv: &Direct<V>,
    scratch: &mut Scratch,
    input: &[i8],
    first: usize,
    output: &mut [i8],
) {
    let window = &conv.window;
    let (width, [down, right]) = (window.output[1], window.stride);
    // Bytes per activation, pixel and padded row.
    let size = 4 / V::GROUP;
    let pixel = conv.inputs * size;
    let line = ((width - 1) * right + window.kernel[1]) * pixel;
    let rows = output.len() / (width * conv.outputs);
    // Rows of windows per chunk, in chunks of nearly equal size.
    let most = (CHUNK * size / line).saturating_sub(window.kernel[0]) / down + 1;
    let rows = rows.div_ceil(rows.div_ceil(most).max(1)).max(1);
    let lines = (rows - 1) * down + window.kernel[0];
    let scratch = &mut scratch.activations;
    scratch.resize(lines * line + 2 * V::BYTES, 0);
    // SAFETY: upheld by the caller; the scratch has room for the lines and two registers.
    unsafe {
        let epilogue = Epilogue::new(conv.matrix.requantise());
        for (chunk, output) in output.chunks_mut(rows * width * conv.outputs).enumerate() {
            let y = first + chunk * rows;
            let lines = (output.len() / (width * conv.outputs) - 1) * down + window.kernel[0];
            for tap in 0..lines {
                padded(
                    conv,
                    input,
                    window.source(0, y, tap),
                    line / pixel,
                    scratch.as_mut_ptr().add(tap * line),
                );
            }
            let at = |index: usize| index / width * down * line + index % width * right * pixel;
            multiply(&conv.matrix, &epilogue, scratch, at, line, output);
        }
    }
}

/// Row `y` of the input with its padding, or padding only: `columns` pixels at `to`.
#[inline(always)]
unsafe fn padded<V: Vector>(conv: &Direct<V>, input: &[i8], y: Option<usize>, columns: usize, to: *mut u8) {
    let inputs = conv.inputs;
    let (pixel, width) = (inputs * 4 / V::GROUP, conv.window.input[1]);
    let left = conv.window.pad[1].min(columns);
    let inside = y.map_or(0, |_| width.min(columns - left));
    // SAFETY: upheld by the caller; each part may overwrite what follows, which is written later.
    unsafe {
        fill::<V>(conv.padding, left * inputs, to);
        if let Some(y) = y {
            activations::<V>(&input[y * width * inputs..], inside * inputs, to.add(left * pixel));
        }
        fill::<V>(conv.padding, (columns - left - inside) * inputs, to.add((left + inside) * pixel));
    }
}

/// Writes the same activation `count` times; may write up to two registers past the end.
#[inline(always)]
unsafe fn fill<V: Vector>(value: i8, count: usize, to: *mut u8) {
    // SAFETY: upheld by the caller.
    unsafe {
        let value = V::xor(V::splat_byte(value), V::splat_byte(-128));
        for at in (0..count).step_by(V::BYTES) {
            V::write_activations(to.add(at * 4 / V::GROUP), value);
        }
    }
}
