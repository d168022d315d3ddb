//! The specification.

/// Coefficients of `x` to `x⁶`.
const POWERS: [f32; 6] =
    [0.070_523_076, 0.042_282_01, 0.009_270_527, 0.000_152_014_3, 0.000_276_567_2, 0.000_043_063_8];

#[inline(always)]
pub(super) fn gelu(values: &mut [f32]) {
    for value in values {
        let x = *value;
        *value = x * 0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// `±(1 − 1 / (1 + a₁|x| + … + a₆|x|⁶)¹⁶)`.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let z = x.abs();
    let [a, b, c, d, e, f] = POWERS;
    let p = 1.0 + z * (a + z * (b + z * (c + z * (d + z * (e + z * f)))));
    let p2 = p * p;
    let p4 = p2 * p2;
    let p8 = p4 * p4;
    (1.0 - 1.0 / (p8 * p8)).copysign(x)
}
