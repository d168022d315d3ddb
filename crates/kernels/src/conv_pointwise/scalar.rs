//! The specification.
#![forbid(unsafe_code)]

use crate::requantise::Requantise;

#[derive(Debug)]
pub(super) struct Pointwise {
    inputs: usize,
    weights: Vec<i8>,
    requantise: Requantise,
}

impl Pointwise {
    pub(super) fn new(inputs: usize, weights: &[i8], requantise: Requantise) -> Self {
        Self { inputs, weights: weights.to_vec(), requantise }
    }

    /// `output[p][o] = requantise(Σ_i weights[o][i] · input[p][i])`.
    pub(super) fn run(&self, input: &[i8], stride: usize, output: &mut [i8]) {
        let outputs = self.requantise.bias.len();
        for (output, pixel) in output.chunks_exact_mut(outputs).zip(input.chunks(stride)) {
            let rows = self.weights.chunks_exact(self.inputs);
            for (channel, (to, row)) in output.iter_mut().zip(rows).enumerate() {
                let products = row.iter().zip(pixel).map(|(&w, &x)| i32::from(w) * i32::from(x));
                *to = self.requantise.apply(channel, products.fold(0, i32::wrapping_add));
            }
        }
    }
}
