//! NEON: copies whole registers even where a run of bytes does not fill them; the excess is
//! overwritten by the next run.

use std::arch::asm;

use super::Window;

/// Same as the scalar body, to which it falls back at the input's edges and where a register would reach past
/// the end of a slice.
pub(super) fn row(window: &Window, channels: usize, padding: i8, input: &[i8], y: usize, output: &mut [i8]) {
    if !window.is_plain() {
        return super::scalar::row(window, channels, padding, input, y, output);
    }
    let [height, width] = window.kernel;
    let (line, step) = (width * channels, window.stride[1] * channels);
    let patch = height * line;
    let count = output.len() / patch;
    // The runs of the last patch, and of the last row of a window, must end inside the slices
    // including their excess.
    let over = line.next_multiple_of(16) - line;
    let first = window.pad[1].div_ceil(window.stride[1]).min(count);
    let last = || {
        let top = (y * window.stride[0])
            .checked_sub(window.pad[0])
            .filter(|top| top + height <= window.input[0])?;
        let bottom = (top + height - 1) * window.input[1];
        let columns = (input.len().checked_sub(over)? / channels).checked_sub(bottom)?.min(window.input[1]);
        let left = (columns + window.pad[1]).checked_sub(width)?;
        Some((top, (left / window.stride[1] + 1).min(output.len().checked_sub(over)? / patch)))
    };
    let (top, last) = last().filter(|&(_, last)| last > first).unwrap_or((0, first));
    let edge = |x: usize, output: &mut [i8]| {
        super::scalar::patch(window, channels, padding, input, [y, x], &mut output[x * patch..][..patch]);
    };
    (0..first).for_each(|x| edge(x, output));
    if last > first {
        let start = (top * window.input[1] + first * window.stride[1] - window.pad[1]) * channels;
        let below = window.input[1] * channels;
        let mut from = input[start..].as_ptr();
        let mut to = output[first * patch..].as_mut_ptr();
        for _ in first..last {
            for tap in 0..height {
                // SAFETY: see above; the next run overwrites the excess of this one.
                unsafe { copy(from.wrapping_add(tap * below), to.wrapping_add(tap * line), line) };
            }
            (from, to) = (from.wrapping_add(step), to.wrapping_add(patch));
        }
    }
    (last..count).for_each(|x| edge(x, output));
}

/// Copies `count` bytes, rounded up to a multiple of 16. In assembly because the compiler turns any copying
/// loop into a call of `memcpy`, which takes longer than most runs.
///
/// # Safety
/// The rounded-up count must be readable and writable.
#[inline(always)]
unsafe fn copy(mut from: *const i8, mut to: *mut i8, count: usize) {
    let mut left = count.cast_signed();
    while left > 48 {
        // SAFETY: upheld by the caller: more than 48 bytes round up to four registers.
        unsafe {
            asm!(
                "ldp {a:q}, {b:q}, [{from}], #32",
                "ldp {c:q}, {d:q}, [{from}], #32",
                "stp {a:q}, {b:q}, [{to}], #32",
                "stp {c:q}, {d:q}, [{to}], #32",
                a = out(vreg) _, b = out(vreg) _, c = out(vreg) _, d = out(vreg) _,
                from = inout(reg) from, to = inout(reg) to,
                options(nostack, preserves_flags)
            );
        }
        left -= 64;
    }
    if left > 16 {
        // SAFETY: same: more than 16 bytes round up to two registers.
        unsafe {
            asm!(
                "ldp {a:q}, {b:q}, [{from}], #32",
                "stp {a:q}, {b:q}, [{to}], #32",
                a = out(vreg) _, b = out(vreg) _, from = inout(reg) from, to = inout(reg) to,
                options(nostack, preserves_flags)
            );
        }
        left -= 32;
    }
    if left > 0 {
        // SAFETY: upheld by the caller.
        unsafe {
            asm!(
                "ldr {a:q}, [{from}]",
                "str {a:q}, [{to}]",
                a = out(vreg) _, from = in(reg) from, to = in(reg) to,
                options(nostack, preserves_flags)
            );
        }
    }
}
