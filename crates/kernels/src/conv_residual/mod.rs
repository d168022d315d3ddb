//! Pointwise convolution (or one over patches) whose float result is added to another tensor
//! before it is quantised.

mod scalar;

use super::isa::vectorised;
use super::requantise::Requantise;
use super::{Isa, bounds};

/// Zero point and multiplier of the tensor that is added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Residual {
    /// Its zero point.
    pub zero: i32,
    /// `sr / sy`.
    pub multiplier: f32,
}

/// A pointwise convolution with a residual.
#[derive(Debug)]
pub struct ConvResidual {
    isa: Isa,
    /// `[inputs, outputs]`.
    weights: Vec<i16>,
    requantise: Requantise,
    residual: Residual,
}

impl ConvResidual {
    /// Packs `weights`, `[outputs, inputs]` row-major. The table of `requantise` is not applied.
    ///
    /// # Panics
    /// If the lengths do not agree.
    pub fn new(isa: Isa, weights: &[i8], requantise: Requantise, residual: Residual) -> Self {
        let outputs = requantise.bias.len();
        assert!(weights.len().is_multiple_of(outputs) && requantise.multiplier.len() == outputs);
        let inputs = weights.len() / outputs;
        let columns = (0..inputs).flat_map(|input| weights.iter().skip(input).step_by(inputs));
        Self { isa, weights: columns.map(|&w| i16::from(w)).collect(), requantise, residual }
    }

    /// `output[p][o] = clamp(round_half_even(acc · m[o] + (residual[p][o] − zr) · (sr/sy)) + zy)` with
    /// `acc = Σ_i weights[o][i] · input[p][i] + bias[o]` in wrapping i32: two products and a sum in f32,
    /// never fused. Pixels of `input` start every `stride` values; `residual` and `output` are dense;
    /// `sums` is scratch.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn run(&self, sums: &mut Vec<i32>, input: &[i8], stride: usize, residual: &[i8], output: &mut [i8]) {
        let outputs = self.requantise.bias.len();
        let (inputs, pixels) = (self.weights.len() / outputs, output.len() / outputs);
        assert!(output.len() == pixels * outputs && residual.len() >= output.len() && stride >= inputs);
        assert!(bounds::holds(input.len(), bounds::span(pixels, stride, inputs)));
        let conv = self;
        vectorised!(
            self.isa,
            scalar::run,
            (conv: &ConvResidual, sums: &mut Vec<i32>, input: &[i8], stride: usize, residual: &[i8], output: &mut [i8])
        );
    }
}
