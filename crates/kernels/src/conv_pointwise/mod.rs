//! Pointwise (1×1) convolution: each pixel's channels times one matrix. Also the second half of a convolution
//! over patches and, with a single pixel, a fully connected layer.

#[cfg(target_arch = "aarch64")]
mod aarch64;
mod scalar;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
pub(super) mod vector;

use super::isa::Level;
use super::requantise::Requantise;
#[cfg(target_arch = "x86_64")]
use super::vector::{Avx2, Avx512Vnni, AvxVnni, compiled};
use super::{Isa, bounds};
#[cfg(target_arch = "x86_64")]
use vector::Matrix;

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
    Avx2(Matrix<Avx2>),
    #[cfg(target_arch = "x86_64")]
    AvxVnni(Matrix<AvxVnni>),
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(Matrix<Avx512Vnni>),
    #[cfg(target_arch = "aarch64")]
    Aarch64(aarch64::Pointwise),
}

/// Scratch memory, reused from call to call.
#[derive(Debug, Default)]
pub struct Scratch {
    #[cfg(target_arch = "x86_64")]
    pub(super) activations: Vec<u8>,
    #[cfg(target_arch = "aarch64")]
    tail: Vec<i8>,
    pub(super) patches: Vec<i8>,
}

impl Pointwise {
    /// Packs `weights`, `[outputs, inputs]` row-major.
    ///
    /// # Panics
    /// If there are not `outputs · inputs` weights, or not `outputs` biases and multipliers.
    pub fn new(isa: Isa, inputs: usize, outputs: usize, weights: &[i8], requantise: Requantise) -> Self {
        assert_eq!(Some(weights.len()), bounds::product([inputs, outputs]));
        assert_eq!((requantise.bias.len(), requantise.multiplier.len()), (outputs, outputs));
        let body = match isa.level() {
            Level::Scalar => Body::Scalar(scalar::Pointwise::new(inputs, weights, requantise)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => Body::Avx2(Matrix::new(1, weights, requantise)),
            #[cfg(target_arch = "x86_64")]
            Level::AvxVnni => Body::AvxVnni(Matrix::new(1, weights, requantise)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni => Body::Avx512Vnni(Matrix::new(1, weights, requantise)),
            #[cfg(target_arch = "aarch64")]
            _ => Body::Aarch64(aarch64::Pointwise::new(isa, inputs, weights, &requantise)),
        };
        Self { inputs, outputs, body }
    }

    /// Convolves `output.len() / outputs` pixels; pixels of `input` start every `stride` values,
    /// the result is dense.
    ///
    /// # Panics
    /// If `stride` is less than the number of inputs, or `input` is too short.
    #[cfg_attr(
        not(any(target_arch = "x86_64", target_arch = "aarch64")),
        expect(unused_variables, reason = "the scalar body needs no scratch")
    )]
    pub fn run(&self, scratch: &mut Scratch, input: &[i8], stride: usize, output: &mut [i8]) {
        let pixels = output.len() / self.outputs;
        assert!(stride >= self.inputs && output.len() == pixels * self.outputs);
        assert!(bounds::holds(input.len(), bounds::span(pixels, stride, self.inputs)));
        #[cfg(target_arch = "x86_64")]
        let (inputs, scratch) = (self.inputs, &mut scratch.activations);
        match &self.body {
            Body::Scalar(body) => body.run(input, stride, output),
            #[cfg(target_arch = "x86_64")]
            Body::Avx2(body) => compiled!(
                "avx2",
                vector::run,
                (body: &Matrix<Avx2>, inputs: usize, scratch: &mut Vec<u8>, input: &[i8], stride: usize, output: &mut [i8])
            ),
            #[cfg(target_arch = "x86_64")]
            Body::AvxVnni(body) => compiled!(
                "avx2,avxvnni",
                vector::run,
                (body: &Matrix<AvxVnni>, inputs: usize, scratch: &mut Vec<u8>, input: &[i8], stride: usize, output: &mut [i8])
            ),
            #[cfg(target_arch = "x86_64")]
            Body::Avx512Vnni(body) => compiled!(
                "avx512f,avx512bw,avx512vnni,avx512vbmi",
                vector::run,
                (body: &Matrix<Avx512Vnni>, inputs: usize, scratch: &mut Vec<u8>, input: &[i8], stride: usize, output: &mut [i8])
            ),
            #[cfg(target_arch = "aarch64")]
            Body::Aarch64(body) => body.run(&mut scratch.tail, input, stride, output),
        }
    }
}
