//! Maximum pooling in registers: first down each column of the windows, over whole rows, then across
//! neighbouring columns.

use crate::patches::Window;
use crate::vector::Vector;

/// Bytes of columns processed at a time.
const BUFFER: usize = 16 * 1024;

/// Whether the buffer holds the columns of one window.
pub(super) fn fits(window: &Window, channels: usize) -> bool {
    window.is_plain() && window.kernel[1] * channels <= BUFFER
}

/// # Safety
/// Same as [`Vector`], here and below.
#[inline(always)]
pub(super) unsafe fn max<V: Vector>(
    window: &Window,
    channels: usize,
    input: &[i8],
    first: usize,
    output: &mut [i8],
) {
    let ([_, width], [_, step]) = (window.output, window.stride);
    // Room for a register after the last column.
    let mut buffer = [i8::MIN; BUFFER + 64];
    let windows = (BUFFER / channels - window.kernel[1]) / step + 1;
    for (y, output) in output.chunks_exact_mut(width * channels).enumerate() {
        for (part, output) in output.chunks_mut(windows * channels).enumerate() {
            let x = part * windows;
            let count = (output.len() / channels - 1) * step + window.kernel[1];
            // SAFETY: upheld by the caller; the buffer has room for the columns of this many windows.
            unsafe {
                columns::<V>(window, channels, input, [first + y, x * step], &mut buffer[..count * channels]);
                rows::<V>(window, channels, &buffer, output);
            }
        }
    }
}

/// The maximum of each column under row `y` of the output, from column `left` of the padded input on.
#[inline(always)]
unsafe fn columns<V: Vector>(
    window: &Window,
    channels: usize,
    input: &[i8],
    [y, left]: [usize; 2],
    buffer: &mut [i8],
) {
    let line = window.input[1] * channels;
    // Values in the padding, and where the input's values that follow them start.
    let before = (window.pad[1].saturating_sub(left) * channels).min(buffer.len());
    let start = left.saturating_sub(window.pad[1]) * channels;
    let inside = line.saturating_sub(start).min(buffer.len() - before);
    buffer.fill(i8::MIN);
    let buffer = &mut buffer[before..][..inside];
    for row in (0..window.kernel[0]).filter_map(|tap| window.source(0, y, tap)) {
        let row = &input[row * line + start..][..inside];
        for (to, from) in buffer.chunks_mut(V::BYTES).zip(row.chunks(V::BYTES)) {
            // SAFETY: upheld by the caller.
            unsafe { V::write_first(to, V::max(V::first(to), V::first(from))) };
        }
    }
}

/// The maximum over the columns of each window; there are as many windows as `output` has pixels.
#[inline(always)]
unsafe fn rows<V: Vector>(window: &Window, channels: usize, buffer: &[i8], output: &mut [i8]) {
    for pixel in 0..output.len() / channels {
        for start in (0..channels).step_by(V::BYTES) {
            let from = &buffer[pixel * window.stride[1] * channels + start..];
            let to = &mut output[pixel * channels + start..];
            // SAFETY: upheld by the caller. What is written past the pixel is overwritten later.
            unsafe {
                let mut most = V::splat_byte(i8::MIN);
                for tap in 0..window.kernel[1] {
                    most = V::max(most, V::first(&from[tap * channels..]));
                }
                let count = to.len().min(V::BYTES);
                V::write_first(&mut to[..count], most);
            }
        }
    }
}
