//! Pointwise (1×1) convolution: every pixel's channels times one matrix. Also the second half of a convolution over patches and,
//! with one pixel, a fully connected layer.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(super) mod avx512vnni;
mod scalar;
#[cfg(test)]
mod tests;

use super::Isa;
use super::requantise::Requantise;

/// Bytes of activations that are worked on at a time: they stay in the first-level cache while the weights pass by.
#[cfg(target_arch = "x86_64")]
const CHUNK: usize = 16 * 1024;

/// A pointwise convolution with its weights packed for one instruction set.
#[derive(Debug)]
pub struct Pointwise {
    inputs: usize,
    outputs: usize,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Scalar(scalar::Pointwise),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Pointwise),
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(avx512vnni::Pointwise),
}

/// Memory that the kernels reuse from call to call.
#[derive(Debug, Default)]
pub struct Scratch {
    #[cfg(target_arch = "x86_64")]
    bytes: Vec<u8>,
    #[cfg(target_arch = "x86_64")]
    words: Vec<i16>,
}

impl Pointwise {
    /// Packs `weights`, `[outputs, inputs]` row-major.
    ///
    /// # Panics
    /// If there are not `outputs · inputs` weights or not `outputs` biases and multipliers.
    pub fn new(isa: Isa, inputs: usize, outputs: usize, weights: &[i8], requantise: Requantise) -> Self {
        assert_eq!(weights.len(), inputs * outputs);
        assert_eq!((requantise.bias.len(), requantise.multiplier.len()), (outputs, outputs));
        let body = match isa {
            Isa::Scalar => Body::Scalar(scalar::Pointwise::new(inputs, weights, requantise)),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Body::Avx2(avx2::Pointwise::new(inputs, weights, requantise)),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => Body::Avx512Vnni(avx512vnni::Pointwise::new(inputs, weights, &requantise)),
        };
        Self { inputs, outputs, body }
    }

    /// Convolves `output.len() / outputs` pixels, of which each starts `stride` values after the one before it; the result is
    /// dense.
    ///
    /// # Panics
    /// If `input` is too short.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(unused_variables, reason = "the scalar body needs no scratch")
    )]
    pub fn run(&self, scratch: &mut Scratch, input: &[i8], stride: usize, output: &mut [i8]) {
        let pixels = output.len() / self.outputs;
        assert!(stride >= self.inputs && output.len() == pixels * self.outputs);
        assert!(pixels == 0 || input.len() >= (pixels - 1) * stride + self.inputs);
        match &self.body {
            Body::Scalar(body) => body.run(input, stride, output),
            // SAFETY: only an `Isa` of this CPU makes these bodies.
            #[cfg(target_arch = "x86_64")]
            Body::Avx2(body) => unsafe { body.run(&mut scratch.words, input, stride, output) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Body::Avx512Vnni(body) => unsafe { body.run(&mut scratch.bytes, input, stride, output) },
        }
    }
}
