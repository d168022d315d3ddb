//! Softmax of int8 values, in integers up to the last division.

mod scalar;

use super::Isa;
use super::isa::vectorised;

/// A softmax over so many values, and the scale of its result.
#[derive(Debug, Clone, PartialEq)]
pub struct Softmax {
    /// Number of values that share one.
    pub length: usize,
    /// `round(exp(−d·sx) · 2^bits)` for each distance d from the largest value. With [`Softmax::bits`] their sum fits 32 bits.
    pub exponentials: Box<[i32; 256]>,
    /// `1 / sy`.
    pub inverse: f32,
    /// Zero point of the result.
    pub zero: i32,
    /// Smallest result, at least −128.
    pub low: i32,
    /// Largest result, at most 127.
    pub high: i32,
}

impl Softmax {
    /// Fractional bits of the exponentials for `length` values: as many as f32 holds, and their sum 31 bits.
    pub fn bits(length: usize) -> u32 {
        24u32.min(31u32.saturating_sub(length.next_power_of_two().trailing_zeros()))
    }
}

/// For each run of `length` values: `e[i] = exponentials[max − x[i]]`, `y[i] = clamp(round_half_even(e[i] · (inverse / Σ e)) + zy)`; the
/// sum is exact, the quotient and the product are in f32. `scratch` holds the exponentials of one run.
///
/// # Panics
/// If the lengths differ or are no multiple of the softmax's.
pub fn run(isa: Isa, softmax: &Softmax, scratch: &mut Vec<i32>, input: &[i8], output: &mut [i8]) {
    assert!(softmax.length > 0 && input.len() == output.len() && output.len().is_multiple_of(softmax.length));
    scratch.resize(softmax.length, 0);
    let scratch = &mut scratch[..];
    vectorised!(isa, scalar::run, (softmax: &Softmax, scratch: &mut [i32], input: &[i8], output: &mut [i8]));
}
