//! The specification.
#![forbid(unsafe_code)]

use super::{Mean, RealPool};
use crate::lanes::{bytes, float};
use crate::patches::Window;
use crate::requantise::round;

/// Calls `visit` with the channels of each input pixel under the window of output pixel `at`.
#[inline(always)]
fn under<'a>(window: &Window, channels: usize, input: &'a [i8], at: usize, mut visit: impl FnMut(&'a [i8])) {
    let (y, x) = (at / window.output[1], at % window.output[1]);
    for row in (0..window.kernel[0]).filter_map(|tap| window.source(0, y, tap)) {
        for column in (0..window.kernel[1]).filter_map(|tap| window.source(1, x, tap)) {
            visit(&input[(row * window.input[1] + column) * channels..][..channels]);
        }
    }
}

#[inline(always)]
pub(super) fn max(window: &Window, channels: usize, input: &[i8], first: usize, output: &mut [i8]) {
    let first = first * window.output[1];
    for (at, output) in output.chunks_exact_mut(channels).enumerate() {
        output.fill(i8::MIN);
        under(window, channels, input, first + at, |pixel| {
            for (to, &x) in output.iter_mut().zip(pixel) {
                *to = x.max(*to);
            }
        });
    }
}

#[inline(always)]
pub(super) fn mean(
    window: &Window,
    mean: Mean,
    channels: usize,
    sums: &mut [i32],
    input: &[i8],
    first: usize,
    output: &mut [i8],
) {
    let first = first * window.output[1];
    for (at, output) in output.chunks_exact_mut(channels).enumerate() {
        sums.fill(0);
        let mut count = 0;
        under(window, channels, input, first + at, |pixel| {
            count += 1;
            for (sum, &x) in sums.iter_mut().zip(pixel) {
                *sum += i32::from(x) - mean.zeros[0];
            }
        });
        if mean.padding_counts {
            count = window.kernel[0] * window.kernel[1];
        }
        let multiplier = mean.multiplier / count as f32;
        for (to, &sum) in output.iter_mut().zip(sums.iter()) {
            *to = round(sum as f32 * multiplier, mean.zeros[1], -128, 127);
        }
    }
}

/// Floats of a pixel that are joined in registers.
const BLOCK: usize = 16;

#[inline(always)]
pub(super) fn real(
    window: &Window,
    pool: RealPool,
    channels: usize,
    input: &[i8],
    first: usize,
    output: &mut [i8],
) {
    let first = first * window.output[1];
    for (at, output) in output.as_chunks_mut().0.chunks_exact_mut(channels).enumerate() {
        let (blocks, rest) = output.as_chunks_mut();
        let left = blocks.len() * BLOCK;
        for (block, to) in blocks.iter_mut().enumerate() {
            joined::<BLOCK>(window, pool, channels, input, [first + at, block * BLOCK], to);
        }
        for (channel, to) in rest.as_chunks_mut().0.iter_mut().enumerate() {
            joined::<1>(window, pool, channels, input, [first + at, left + channel], to);
        }
    }
}

/// `N` channels of the output pixel `at`, from `channel` on.
#[inline(always)]
fn joined<const N: usize>(
    window: &Window,
    pool: RealPool,
    channels: usize,
    input: &[i8],
    [at, channel]: [usize; 2],
    to: &mut [[i8; 4]; N],
) {
    let is_max = pool == RealPool::Max;
    let mut values = [if is_max { f32::NEG_INFINITY } else { 0.0 }; N];
    let mut count = 0;
    under(window, 4 * channels, input, at, |pixel| {
        count += 1;
        for (value, x) in values.iter_mut().zip(&pixel.as_chunks().0[channel..]) {
            let x = float(x);
            *value = match is_max {
                true if x > *value => x,
                true => *value,
                false => *value + x,
            };
        }
    });
    if pool == (RealPool::Mean { padding_counts: true }) {
        count = window.kernel[0] * window.kernel[1];
    }
    let divisor = if is_max { 1.0 } else { count as f32 };
    for (to, value) in to.iter_mut().zip(values) {
        *to = bytes(value / divisor);
    }
}

#[cfg(test)]
mod tests {
    use super::{Mean, RealPool, Window};
    use crate::lanes::{bytes, float};
    use crate::{Isa, pool};

    #[test]
    fn windows_of_floats_by_hand_and_on_every_instruction_set() {
        let window = Window {
            input: [2, 3],
            output: [1, 2],
            kernel: [2, 2],
            stride: [2, 2],
            pad: [0, 1],
            dilation: [1; 2],
        };
        for channels in [1, 3, 16, 21] {
            let value = |at: usize, c: usize| [1.0, -2.0, 3.5, 4.0, -50.0, 6.5][at] + c as f32;
            let input: Vec<i8> =
                (0..6).flat_map(|at| (0..channels).flat_map(move |c| bytes(value(at, c)))).collect();
            for (pool, expected) in [
                (RealPool::Max, [4.0, 6.5]),
                (RealPool::Mean { padding_counts: false }, [2.5, -10.5]),
                (RealPool::Mean { padding_counts: true }, [1.25, -10.5]),
            ] {
                for isa in Isa::available() {
                    let mut output = vec![0; 2 * 4 * channels];
                    pool::real(isa, &window, pool, channels, &input, 0, &mut output);
                    let found: Vec<f32> = output.as_chunks().0.iter().map(float).collect();
                    for c in 0..channels {
                        // Two of the four values of the first window are padding.
                        let share = if pool == (RealPool::Mean { padding_counts: true }) { 0.5 } else { 1.0 };
                        assert_eq!(found[c], expected[0] + share * c as f32, "{isa:?} {pool:?}");
                        assert_eq!(found[channels + c], expected[1] + c as f32, "{isa:?} {pool:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn windows_by_hand() {
        let window = Window {
            input: [3, 3],
            output: [2, 2],
            kernel: [3, 3],
            stride: [2, 2],
            pad: [1, 1],
            dilation: [1; 2],
        };
        let input = [-1, -2, -3, -4, -50, -6, -7, -8, -9];
        let halves = Window {
            input: [2, 3],
            output: [1, 1],
            kernel: [2, 2],
            stride: [2, 2],
            pad: [0, 0],
            dilation: [1; 2],
        };
        for isa in Isa::available() {
            let mut output = [0; 4];
            pool::max(isa, &window, 1, &input, 0, &mut output[..2]);
            pool::max(isa, &window, 1, &input, 1, &mut output[2..]);
            assert_eq!(output, [-1, -2, -4, -6]);
            let mut output = [0; 1];
            let mean = Mean { zeros: [1, 2], multiplier: 1.0, padding_counts: false };
            // (1 + 2 + 4 + 7) − 4·1 = 10, 2.5 rounds to 2.
            pool::mean(isa, &halves, mean, 1, &mut [0], &[1, 2, 99, 4, 7, 99], 0, &mut output);
            assert_eq!(output, [4]);
            // Only four values of the 3×3 window lie inside the input: −8/4 or −8/9.
            let mut corner = [0; 1];
            let window = Window { output: [1, 1], ..window };
            pool::mean(isa, &window, mean, 1, &mut [0], &[0, 0, 9, -2, -2, 9, 9, 9, 9], 0, &mut corner);
            assert_eq!(corner, [0]);
            let mean = Mean { padding_counts: true, ..mean };
            pool::mean(isa, &window, mean, 1, &mut [0], &[0, 0, 9, -2, -2, 9, 9, 9, 9], 0, &mut corner);
            assert_eq!(corner, [1]);
        }
    }

    #[test]
    fn the_largest_of_any_window_on_every_isa() {
        for channels in [1, 7, 24, 31, 32, 33, 64, 65, 2000] {
            for (side, kernel, stride, pad, after) in [
                ([5, 7], [3, 3], [2, 2], [1, 1], 1),
                ([9, 30], [3, 3], [2, 2], [1, 1], 0),
                ([4, 4], [2, 2], [2, 2], [0, 0], 0),
                ([6, 5], [5, 5], [1, 1], [2, 2], 2),
                ([3, 3], [3, 2], [1, 3], [2, 1], 2),
            ] {
                let output =
                    [0, 1].map(|axis| (side[axis] + pad[axis] + after - kernel[axis]) / stride[axis] + 1);
                let window = Window { input: side, output, kernel, stride, pad, dilation: [1; 2] };
                let input: Vec<i8> =
                    (0..side[0] * side[1] * channels).map(|i| ((i * 7919) >> 3) as i8).collect();
                let run = |isa| {
                    let mut found = vec![0; output[0] * output[1] * channels];
                    let (top, bottom) = found.split_at_mut(output[1] * channels);
                    pool::max(isa, &window, channels, &input, 0, top);
                    pool::max(isa, &window, channels, &input, 1, bottom);
                    found
                };
                let expected = run(Isa::SCALAR);
                for isa in Isa::available() {
                    assert!(run(isa) == expected, "{isa:?} {channels} {window:?}");
                }
            }
        }
    }

    #[test]
    fn every_isa_gives_what_scalar_gives() {
        let window = Window {
            input: [5, 7],
            output: [2, 3],
            kernel: [3, 3],
            stride: [2, 2],
            pad: [0, 0],
            dilation: [1; 2],
        };
        let padded = Window { output: [3, 4], pad: [1, 1], ..window };
        let halves = Window { kernel: [2, 2], ..window };
        let long = Window {
            input: [2, 700],
            output: [1, 2],
            kernel: [2, 601],
            stride: [1, 99],
            pad: [0, 0],
            dilation: [1; 2],
        };
        let shapes = [window, padded, halves, long];
        for (window, channels) in shapes
            .into_iter()
            .flat_map(|window| [1, 16, 24, 31, 32, 33, 58, 65].map(|channels| (window, channels)))
        {
            let values = window.input[0] * window.input[1] * channels;
            let input: Vec<i8> = (0..values).map(|i| ((i * 7919) >> 3) as i8).collect();
            let mean = Mean { zeros: [-5, 7], multiplier: 1.57, padding_counts: channels % 2 == 0 };
            let run = |isa| {
                let pixels = window.output[0] * window.output[1];
                let (mut max, mut means) = (vec![0; pixels * channels], vec![0; pixels * channels]);
                pool::max(isa, &window, channels, &input, 0, &mut max);
                pool::mean(isa, &window, mean, channels, &mut vec![0; channels], &input, 0, &mut means);
                (max, means)
            };
            let expected = run(Isa::SCALAR);
            for isa in Isa::available() {
                assert!(run(isa) == expected, "{isa:?} {channels}");
            }
        }
    }
}
