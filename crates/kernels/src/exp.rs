//! The exponential function, in f32 steps that compilers vectorise.
#![forbid(unsafe_code)]

/// Adding and then subtracting this rounds a float below 2²² to an integer; after the addition the integer
/// is in the low bits.
const ROUND: f32 = 12_582_912.0;
/// `ln 2` in two parts, the first with few significant bits, so that its product with a
/// small integer is exact.
const LN_2: [f32; 2] = [0.693_359_4, -0.000_212_194_44];
/// Coefficients of the power series of `exp` for `x²` to `x⁶`.
const SERIES: [f32; 5] = [0.5, 0.166_666_67, 0.041_666_668, 0.008_333_334, 0.001_388_888_9];

/// `exp(x)` for `x ≤ 0`.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let [a, b, c, d, e] = SERIES;
    let series = 1.0 + r + r * r * (a + r * (b + r * (c + r * (d + r * e))));
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    let power = f32::from_bits(exponent << 23);
    series * power
}
