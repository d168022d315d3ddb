//! Products of float rows with int8 weights: the fully connected layers of a text tower.
//!
//! # Arithmetic
//!
//! Weights are int8, symmetric, with one scale `sw[c]` per output column. A row `x` is quantised when it
//! arrives, in groups of [`GROUP`] inputs with one scale each, because a few channels of a transformer are
//! many times larger than all others. For group `g` with `m = max |x[k]|`, in f32 throughout:
//!
//! - `m < TINY`: `s[g] = 0` and `q[k] = 0`;
//! - otherwise `s[g] = m / 127` and `q[k] = clamp(round_half_even(x[k] · (127 / m)), −127, 127)`, where a NaN
//!   becomes −127 and makes `s[g]` NaN.
//!
//! Then `y[c] = (Σ_g (Σ_k w[k][c] · q[k]) · s[g]) · sw[c] + bias[c]`: the inner sums in i32, exact; the outer
//! one in f32, first group first, starting from 0, every product rounded before it is added.
//!
//! Rows that are int8 already ([`Product::run_int8`]) are taken as they are, with `s[g] = 1`: the outer sum is
//! exact as well as long as no partial sum exceeds 2²⁴.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512vnni;
mod quantise;
mod scalar;
#[cfg(test)]
mod tests;

use super::isa::Level;
use super::{Isa, bounds};
use quantise::Quantised;

/// Inputs that share a scale.
pub const GROUP: usize = 64;

/// Groups whose largest magnitude is below this count as zero, so that `127 / m` is finite.
pub const TINY: f32 = 1e-30;

/// Rows processed at a time: their quantised values stay in L1 and L2 cache while all weights stream past.
const ROWS: usize = 48;

/// A matrix of weights, packed for one instruction set.
#[derive(Debug)]
pub struct Product {
    isa: Isa,
    inputs: usize,
    outputs: usize,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Scalar(scalar::Product),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Product),
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni(avx512vnni::Product),
    #[cfg(target_arch = "aarch64")]
    Aarch64(aarch64::Product),
}

/// Scratch memory, reused from call to call.
#[derive(Debug, Default, Clone)]
pub struct Scratch(Quantised);

/// What is applied to each output column.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// Scale of the weights, one per output.
    pub scale: Vec<f32>,
    /// Added at the end, one per output.
    pub bias: Vec<f32>,
}

impl Product {
    /// Packs the weights, which are read as `weight(input, output)`.
    ///
    /// # Panics
    /// If there are no inputs, or not one bias per scale.
    pub fn new(isa: Isa, inputs: usize, columns: Columns, weight: impl Fn(usize, usize) -> i8) -> Self {
        let outputs = columns.scale.len();
        assert!(inputs > 0 && columns.bias.len() == outputs);
        let body = match isa.level() {
            Level::Scalar => Body::Scalar(scalar::Product::new(inputs, columns, weight)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 | Level::AvxVnni => Body::Avx2(avx2::Product::new(inputs, columns, weight)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni => Body::Avx512Vnni(avx512vnni::Product::new(inputs, columns, weight)),
            #[cfg(target_arch = "aarch64")]
            _ => Body::Aarch64(aarch64::Product::new(isa.level() != Level::Neon, inputs, columns, weight)),
        };
        Self { isa, inputs, outputs, body }
    }

    /// Length of an input row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Length of an output row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Multiplies the rows of `input`, `[rows, inputs]`, into `output`, `[rows, outputs]`.
    ///
    /// # Panics
    /// If `input` or `output` do not hold the same whole number of rows.
    pub fn run(&self, scratch: &mut Scratch, input: &[f32], output: &mut [f32]) {
        self.run_chunks(scratch, input, output, |rows, input| rows.fill(self.isa, self.inputs, input));
    }

    /// The same for rows of int8, which are not quantised again: each counts with a scale of 1.
    ///
    /// # Panics
    /// As [`Product::run`].
    pub fn run_int8(&self, scratch: &mut Scratch, input: &[i8], output: &mut [f32]) {
        self.run_chunks(scratch, input, output, |rows, input| rows.copy(self.inputs, input));
    }

    fn run_chunks<T>(
        &self,
        scratch: &mut Scratch,
        input: &[T],
        output: &mut [f32],
        fill: impl Fn(&mut Quantised, &[T]),
    ) {
        assert!(input.len().is_multiple_of(self.inputs));
        assert_eq!(bounds::product([input.len() / self.inputs, self.outputs]), Some(output.len()));
        if self.outputs == 0 {
            return;
        }
        let chunks = input.chunks(ROWS * self.inputs).zip(output.chunks_mut(ROWS * self.outputs));
        for (input, output) in chunks {
            fill(&mut scratch.0, input);
            match &self.body {
                Body::Scalar(body) => body.run(&scratch.0, output),
                // SAFETY: only an `Isa` of this CPU makes this body.
                #[cfg(target_arch = "x86_64")]
                Body::Avx2(body) => unsafe { body.run(&scratch.0, output) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Body::Avx512Vnni(body) => unsafe { body.run(&scratch.0, output) },
                // SAFETY: as above.
                #[cfg(target_arch = "aarch64")]
                Body::Aarch64(body) => unsafe { body.run(&scratch.0, output) },
            }
        }
    }
}
