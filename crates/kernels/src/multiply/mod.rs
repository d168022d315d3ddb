//! Product of two tensors, or of a tensor and one value per channel.

mod scalar;

use super::Isa;
use super::isa::vectorised;

/// Scales and zero points of a product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Multiply {
    /// Zero points of the two factors.
    pub zeros: [i32; 2],
    /// `sa · sb / sy`.
    pub multiplier: f32,
    /// Zero point of the result.
    pub zero: i32,
    /// Smallest result, at least −128.
    pub low: i32,
    /// Largest result, at most 127.
    pub high: i32,
}

/// `output[i] = clamp(round_half_even((a[i] − za) · (b[i] − zb) · m) + zy)`; the integer product is exact.
/// `b` is either as long as `a` or one pixel long, and then repeats.
///
/// # Panics
/// If `b` is empty, or if `a` is shorter than `output`.
pub fn run(isa: Isa, multiply: &Multiply, a: &[i8], b: &[i8], output: &mut [i8]) {
    assert!(!b.is_empty() && a.len() >= output.len());
    vectorised!(isa, scalar::run, (multiply: &Multiply, a: &[i8], b: &[i8], output: &mut [i8]));
}
