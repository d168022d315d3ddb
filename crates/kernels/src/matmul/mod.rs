//! Products of two int8 matrices that are both computed: attention.

mod scalar;

use super::Isa;
use super::isa::vectorised;

/// What is multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factors {
    /// Numbers of a row of either matrix, of which an element is the sum of products.
    pub length: usize,
    /// Zero points of the two factors.
    pub zeros: [i32; 2],
}

/// Scales and zero points of a product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatMul {
    /// Of int8 numbers.
    pub factors: Factors,
    /// `sa · sb / sy`.
    pub multiplier: f32,
    /// Zero point of the result.
    pub zero: i32,
    /// Smallest result, at least −128.
    pub low: i32,
    /// Largest result, at most 127.
    pub high: i32,
}

/// Memory between one call and the next.
#[derive(Debug, Default)]
pub struct Scratch {
    row: Vec<i16>,
    matrix: Vec<i16>,
}

/// `output[m][n] = clamp(round_half_even(Σ_k (a[m][k] − za) · (b[n][k] − zb) · m) + zy)`, the sum in wrapping i32 (exact up to 33,000
/// products). `b` has as many rows as a row of the output has numbers, each of `length`.
///
/// # Panics
/// If there are no rows, or if the lengths do not agree.
pub fn run(isa: Isa, product: &MatMul, scratch: &mut Scratch, a: &[i8], b: &[i8], output: &mut [i8]) {
    check(&product.factors, a, b, output.len());
    vectorised!(
        isa,
        scalar::run,
        (product: &MatMul, scratch: &mut Scratch, a: &[i8], b: &[i8], output: &mut [i8])
    );
}

/// The same sums as they are.
///
/// # Panics
/// As [`run`].
pub fn sums(isa: Isa, factors: &Factors, scratch: &mut Scratch, a: &[i8], b: &[i8], output: &mut [i32]) {
    check(factors, a, b, output.len());
    vectorised!(
        isa,
        scalar::sums,
        (factors: &Factors, scratch: &mut Scratch, a: &[i8], b: &[i8], output: &mut [i32])
    );
}

fn check(factors: &Factors, a: &[i8], b: &[i8], count: usize) {
    let length = factors.length;
    assert!(length > 0 && !b.is_empty() && b.len().is_multiple_of(length) && a.len().is_multiple_of(length));
    assert!(count == a.len() / length * (b.len() / length));
}
