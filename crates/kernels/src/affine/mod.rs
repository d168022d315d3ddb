//! A scale and an offset per channel, and a slope below zero: constants per channel, batch normalisation, PRelu.

mod scalar;

use super::isa::vectorised;
use super::{Isa, bounds};

/// Constants of each channel, in units of the result's scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// Zero points of the input and of the result.
    pub zeros: [i32; 2],
    /// `s[c] · sx/sy`.
    pub multiplier: Vec<f32>,
    /// `b[c] / sy`.
    pub offset: Vec<f32>,
    /// What values below zero are multiplied by: 1 where there is no PRelu.
    pub slope: Vec<f32>,
    /// Smallest result, at least −128.
    pub low: i32,
    /// Largest result, at most 127.
    pub high: i32,
}

/// `v = (x − zx)·m[c] + b[c]`, `y = clamp(round_half_even(v < 0 ? v·slope[c] : v) + zy)`, each step in f32, never fused. Pixels of
/// the input start every `stride` values; the result is dense.
///
/// # Panics
/// If the constants differ in number, or a slice is too short.
pub fn run(isa: Isa, affine: &Affine, input: &[i8], stride: usize, output: &mut [i8]) {
    let channels = affine.multiplier.len();
    assert!(affine.offset.len() == channels && affine.slope.len() == channels && stride >= channels);
    let pixels = output.len() / channels;
    assert!(output.len() == pixels * channels);
    assert!(bounds::holds(input.len(), bounds::span(pixels, stride, channels)));
    vectorised!(isa, scalar::run, (affine: &Affine, input: &[i8], stride: usize, output: &mut [i8]));
}
