//! From i32 sums to int8: the end of every convolution.
#![forbid(unsafe_code)]

use super::table::Table;

/// How the sums of a convolution become int8, per output channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Requantise {
    /// Added to the sum; includes the input's zero point: `bias − zx · Σ w`.
    pub bias: Vec<i32>,
    /// `(sx · sw[c]) / sy`.
    pub multiplier: Vec<f32>,
    /// Zero point of the result, −128..=127.
    pub zero: i32,
    /// Smallest result, at least −128.
    pub low: i32,
    /// Largest result, at most 127.
    pub high: i32,
    /// Applied to the clamped result: a function that the graph computes on the quantised values.
    pub table: Option<Box<Table>>,
}

impl Requantise {
    /// The result for one sum, without bias, of channel `channel`.
    #[inline(always)]
    pub fn apply(&self, channel: usize, sum: i32) -> i8 {
        let sum = sum.wrapping_add(self.bias[channel]) as f32;
        let q = round(sum * self.multiplier[channel], self.zero, self.low, self.high);
        self.table.as_ref().map_or(q, |table| table.get(q))
    }
}

/// Adding this to a number within ±2²² leaves no bits for a fraction: the sum is rounded half to even, and
/// its low bits are an integer.
const WHOLE: f32 = 12_582_912.0;

/// `clamp(round_half_even(value) + zero, low, high)`. Clamped before rounding, which gives the same and
/// cannot overflow; a NaN becomes `low`. Written so that compilers vectorise it, with one instruction per
/// comparison on x86; they do not vectorise a checked conversion.
#[inline(always)]
pub(super) fn round(value: f32, zero: i32, low: i32, high: i32) -> i8 {
    let (least, most) = ((low - zero) as f32, (high - zero) as f32);
    let value = if value > least { value } else { least };
    let value = if value < most { value } else { most };
    ((value + WHOLE).to_bits() as i32 - WHOLE.to_bits() as i32 + zero) as i8
}
