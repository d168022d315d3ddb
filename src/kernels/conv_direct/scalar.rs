//! The specification: the patch under each window, row by row, through the pointwise convolution of the same instruction set.
#![forbid(unsafe_code)]

use crate::kernels::Isa;
use crate::kernels::conv_pointwise::{Pointwise, Scratch};
use crate::kernels::patches::{self, Window};
use crate::kernels::requantise::Requantise;

#[derive(Debug)]
pub(super) struct Direct {
    window: Window,
    padding: i8,
    patch: usize,
    outputs: usize,
    pointwise: Pointwise,
}

impl Direct {
    pub(super) fn new(isa: Isa, window: Window, padding: i8, weights: &[i8], requantise: Requantise) -> Self {
        let outputs = requantise.bias.len();
        let patch = weights.len() / outputs;
        let pointwise = Pointwise::new(isa, patch, outputs, weights, requantise);
        Self { window, padding, patch, outputs, pointwise }
    }

    pub(super) fn run(&self, scratch: &mut Scratch, input: &[i8], first: usize, output: &mut [i8]) {
        let inputs = self.patch / self.window.kernel[0] / self.window.kernel[1];
        let width = self.window.output[1];
        let mut patches = std::mem::take(&mut scratch.patches);
        patches.resize(width * self.patch, 0);
        for (y, output) in output.chunks_exact_mut(width * self.outputs).enumerate() {
            patches::row(&self.window, inputs, self.padding, input, first + y, &mut patches);
            self.pointwise.run(scratch, &patches, self.patch, output);
        }
        scratch.patches = patches;
    }
}
