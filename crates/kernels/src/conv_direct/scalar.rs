//! The specification: gathers the patches under the windows, several rows at a time, and runs them through
//! the pointwise convolution of the same instruction set (im2col).
#![forbid(unsafe_code)]

use crate::Isa;
use crate::conv_pointwise::{Pointwise, Scratch};
use crate::patches::{self, Window};
use crate::requantise::Requantise;

/// Minimum number of patches that go through the weights together, if there are that many.
const PATCHES: usize = 24;
/// Bytes after the patches, so that register loads may run past the last one.
const BEYOND: usize = 16;

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
        let rows = PATCHES.div_ceil(width);
        let mut patches = std::mem::take(&mut scratch.patches);
        patches.resize(rows * width * self.patch + BEYOND, 0);
        for (chunk, output) in output.chunks_mut(rows * width * self.outputs).enumerate() {
            let gathered = patches.chunks_exact_mut(width * self.patch);
            for (y, patches) in gathered.take(output.len() / (width * self.outputs)).enumerate() {
                let y = first + chunk * rows + y;
                patches::row(&self.window, inputs, self.padding, input, y, patches);
            }
            self.pointwise.run(scratch, &patches, self.patch, output);
        }
        scratch.patches = patches;
    }
}
