//! NEON: 16 channels at a time.

use std::arch::aarch64::*;
use std::ops::Range;

use super::Mean;
use crate::neon::{pack, scale, widen};
use crate::patches::Window;

/// Minimum number of channels for these functions.
pub(super) const LANES: usize = 16;
/// Number of bytes whose sum always fits i16.
const BYTES: usize = 255;

pub(super) fn max(window: &Window, channels: usize, input: &[i8], first: usize, output: &mut [i8]) {
    // SAFETY: pixels lie inside the input, and 16 channels from `start` lie inside a pixel.
    each(window, channels, input, first, output, |pixels, start| unsafe {
        let Pixels { rows, columns, line, from } = pixels;
        let from = from.add(start);
        let at = |row: usize, column: usize| vld1q_s8(from.add(row * line + column * channels));
        if (rows, columns) == (3, 3) {
            let row = |row: usize| vmaxq_s8(vmaxq_s8(at(row, 0), at(row, 1)), at(row, 2));
            return vmaxq_s8(vmaxq_s8(row(0), row(1)), row(2));
        }
        let mut most = vdupq_n_s8(i8::MIN);
        for row in 0..rows {
            for column in 0..columns {
                most = vmaxq_s8(most, at(row, column));
            }
        }
        most
    });
}

pub(super) fn mean(
    window: &Window,
    mean: Mean,
    channels: usize,
    input: &[i8],
    first: usize,
    output: &mut [i8],
) {
    // SAFETY: NEON is part of every aarch64 target.
    let zero = unsafe { vdupq_n_s16(mean.zeros[1] as i16) };
    let whole = window.kernel[0] * window.kernel[1];
    // SAFETY: same as in `max`.
    each(window, channels, input, first, output, |pixels, start| unsafe {
        let Pixels { rows, columns, line, from } = pixels;
        let count = if mean.padding_counts { whole } else { rows * columns };
        let multiplier = vdupq_n_f32(mean.multiplier / count as f32);
        let mut sums = [vdupq_n_s32(-mean.zeros[0] * (rows * columns) as i32); 4];
        if (rows, columns) == (2, 2) {
            let x = [0, channels, line, line + channels].map(|at| vld1q_s8(from.add(start + at)));
            let low = vaddl_s8(vget_low_s8(x[0]), vget_low_s8(x[1]));
            let low = vaddw_s8(vaddw_s8(low, vget_low_s8(x[2])), vget_low_s8(x[3]));
            let high = vaddw_high_s8(vaddw_high_s8(vaddl_high_s8(x[0], x[1]), x[2]), x[3]);
            let values = widen([low, high]).map(|sum| scale(vaddq_s32(sums[0], sum), multiplier));
            return pack(values, zero);
        }
        for row in 0..rows {
            let row = from.add(row * line + start);
            for some in (0..columns).step_by(BYTES) {
                let mut narrow = [vdupq_n_s16(0); 2];
                for column in some..columns.min(some + BYTES) {
                    let x = vld1q_s8(row.add(column * channels));
                    narrow = [vaddw_s8(narrow[0], vget_low_s8(x)), vaddw_high_s8(narrow[1], x)];
                }
                for (sum, more) in sums.iter_mut().zip(widen(narrow)) {
                    *sum = vaddq_s32(*sum, more);
                }
            }
        }
        pack(sums.map(|sum| scale(sum, multiplier)), zero)
    });
}

/// The part of a window that lies inside the input; `line` and `from` refer to the input.
#[derive(Clone, Copy)]
struct Pixels {
    rows: usize,
    columns: usize,
    line: usize,
    from: *const i8,
}

/// Calls `block` for every output pixel and every 16 channels, with the first of them.
#[inline(always)]
fn each(
    window: &Window,
    channels: usize,
    input: &[i8],
    first: usize,
    output: &mut [i8],
    block: impl Fn(Pixels, usize) -> int8x16_t,
) {
    assert!(channels >= LANES && input.len() >= window.input[0] * window.input[1] * channels);
    let line = window.input[1] * channels;
    for (y, output) in output.chunks_exact_mut(window.output[1] * channels).enumerate() {
        let rows = inside(window, 0, first + y);
        for (x, output) in output.chunks_exact_mut(channels).enumerate() {
            let columns = inside(window, 1, x);
            let from = input.as_ptr().wrapping_add(rows.start * line + columns.start * channels);
            let pixels = Pixels { rows: rows.len(), columns: columns.len(), line, from };
            let mut start = 0;
            while start < channels {
                // The last block overlaps the previous one if the channels are not a multiple of 16.
                let at = start.min(channels - LANES);
                // SAFETY: 16 channels of a pixel.
                unsafe { vst1q_s8(output.as_mut_ptr().add(at), block(pixels, at)) };
                start += LANES;
            }
        }
    }
}

/// The input's rows (axis 0) or columns (axis 1) under the window of output `at`.
#[inline(always)]
fn inside(window: &Window, axis: usize, at: usize) -> Range<usize> {
    let start = at * window.stride[axis];
    let end = (start + window.kernel[axis]).saturating_sub(window.pad[axis]).min(window.input[axis]);
    start.saturating_sub(window.pad[axis]).min(end)..end
}
