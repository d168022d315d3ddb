//! Sum of two tensors with different scales.

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use super::Isa;
use super::isa::vectorised;

/// Scales and zero points of a sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Add {
    /// Zero points of the two terms.
    pub zeros: [i32; 2],
    /// `sa/sy` and `sb/sy`.
    pub multipliers: [f32; 2],
    /// Zero point of the result.
    pub zero: i32,
    /// Smallest result, at least −128.
    pub low: i32,
    /// Largest result, at most 127.
    pub high: i32,
}

/// `output[i] = clamp(round_half_even((a[i] − za)·(sa/sy) + (b[i] − zb)·(sb/sy)) + zy)`.
///
/// # Panics
/// If `a` or `b` is shorter than `output`.
pub fn run(isa: Isa, add: &Add, a: &[i8], b: &[i8], output: &mut [i8]) {
    assert!(a.len() >= output.len() && b.len() >= output.len());
    #[cfg(target_arch = "aarch64")]
    if isa != Isa::SCALAR {
        return neon::run(add, a, b, output);
    }
    vectorised!(isa, scalar::run, (add: &Add, a: &[i8], b: &[i8], output: &mut [i8]));
}
