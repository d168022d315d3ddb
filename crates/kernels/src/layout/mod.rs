//! Conversion between planes (NCHW), the layout of the graph's inputs and outputs, and
//! interleaved channels (NHWC).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::transposed;

use super::isa::vectorised;
use super::{Isa, bounds};

/// `output[pixel][channel] = input[channel · plane + pixel]`.
///
/// # Panics
/// If `input` is too short, or if `output` has no whole pixels.
pub fn interleaved(isa: Isa, channels: usize, plane: usize, input: &[i8], output: &mut [i8]) {
    let pixels = output.len() / channels;
    assert!(output.len() == pixels * channels);
    assert!(bounds::holds(input.len(), bounds::span(channels, plane, pixels)));
    #[cfg(target_arch = "x86_64")]
    if isa != Isa::SCALAR && channels == 3 && output.len() >= 16 * channels {
        // SAFETY: all of this CPU's instruction sets but scalar have AVX2.
        return unsafe { avx2::three(plane, input, output) };
    }
    #[cfg(target_arch = "aarch64")]
    if isa != Isa::SCALAR && channels == 3 && output.len() >= 3 * 16 {
        return neon::interleaved3(plane, input, output);
    }
    vectorised!(
        isa,
        scalar::interleaved,
        (channels: usize, plane: usize, input: &[i8], output: &mut [i8])
    );
}

/// `output[channel][pixel] = input[pixel][channel]`, where pixels start every `stride` values.
///
/// # Panics
/// If `input` is too short, if pixels overlap, or if `output` has no whole pixels.
pub fn planes(isa: Isa, channels: usize, stride: usize, input: &[i8], output: &mut [i8]) {
    check(channels, stride, input, output);
    #[cfg(target_arch = "aarch64")]
    if isa != Isa::SCALAR && channels >= neon::SIDE && output.len() >= neon::SIDE * channels {
        return neon::planes(channels, stride, input, output);
    }
    #[cfg(target_arch = "x86_64")]
    if isa != Isa::SCALAR && channels >= 16 && output.len() >= 16 * channels {
        // SAFETY: all of this CPU's instruction sets but scalar have AVX2.
        return unsafe { avx2::planes(channels, stride, input, output) };
    }
    vectorised!(isa, scalar::planes, (channels: usize, stride: usize, input: &[i8], output: &mut [i8]));
}

/// `output[channel][pixel] = (input[pixel][channel] − zero) · scale`, where pixels start every `stride`
/// values and `unit` is `(scale, zero)`.
///
/// # Panics
/// Same as [`planes`].
pub fn dequantised(
    isa: Isa,
    channels: usize,
    stride: usize,
    unit: (f32, i32),
    input: &[i8],
    output: &mut [f32],
) {
    check(channels, stride, input, output);
    #[cfg(target_arch = "x86_64")]
    if isa != Isa::SCALAR && channels >= 16 && output.len() >= 16 * channels {
        // SAFETY: as above.
        return unsafe { avx2::dequantised(channels, stride, unit, input, output) };
    }
    #[cfg(target_arch = "aarch64")]
    if isa != Isa::SCALAR && channels >= neon::SIDE && output.len() >= neon::SIDE * channels {
        return neon::dequantised(channels, stride, unit, input, output);
    }
    vectorised!(
        isa,
        scalar::dequantised,
        (channels: usize, stride: usize, unit: (f32, i32), input: &[i8], output: &mut [f32])
    );
}

/// `output[i] = (input[i] − zero) · scale`, where `unit` is `(scale, zero)`.
///
/// # Panics
/// If `input` is shorter than `output`.
pub fn values(isa: Isa, unit: (f32, i32), input: &[i8], output: &mut [f32]) {
    assert!(input.len() >= output.len());
    vectorised!(isa, scalar::values, (unit: (f32, i32), input: &[i8], output: &mut [f32]));
}

/// `output[i] = clamp(round_half_even(input[i] / scale) + zero)` where `unit` is `(scale, zero)`.
///
/// # Panics
/// If `input` is shorter than `output`.
pub fn quantised(isa: Isa, unit: (f32, i32), input: &[f32], output: &mut [i8]) {
    assert!(input.len() >= output.len());
    vectorised!(isa, scalar::quantised, (unit: (f32, i32), input: &[f32], output: &mut [i8]));
}

/// Pixels that do not overlap, as many in the input as there are in the output.
fn check<T>(channels: usize, stride: usize, input: &[i8], output: &[T]) {
    let pixels = output.len() / channels;
    assert!(output.len() == pixels * channels && stride >= channels);
    assert!(bounds::holds(input.len(), bounds::span(pixels, stride, channels)));
}
