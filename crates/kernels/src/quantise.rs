//! From floats to int8 and back with one scale and zero point for a whole tensor, as ONNX's `QuantizeLinear` and `DequantizeLinear`.

/// The bits of its sum with a number of at most 2²² exceed its own by that number, rounded to the nearest integer, ties to even. CPUs
/// without an instruction for that would call a function for each number.
const ROUND: f32 = 12_582_912.0;

/// `q = clamp(round_half_even(x / scale) + zero, −128, 127)`; −128 for what is no number.
///
/// # Panics
/// If `output` is not as long as `values`.
///
/// ```
/// let mut output = [0; 4];
/// edgeclip_kernels::quantise::to_int8(&[0.25, 0.75, -1e9, f32::INFINITY], 0.5, 3, &mut output);
/// assert_eq!(output, [3, 5, -128, 127]);
/// ```
pub fn to_int8(values: &[f32], scale: f32, zero: i8, output: &mut [i8]) {
    assert_eq!(values.len(), output.len(), "values and output");
    // Whole numbers, so that it is the same before and after rounding.
    let [low, high] = [i8::MIN, i8::MAX].map(|end| f32::from(i16::from(end) - i16::from(zero)));
    for (x, q) in values.iter().zip(output) {
        let steps = ((x / scale).max(low).min(high) + ROUND).to_bits().wrapping_sub(ROUND.to_bits());
        *q = (steps as i32 + i32::from(zero)) as i8;
    }
}

/// `x = (q − zero) · scale`.
///
/// # Panics
/// If `output` is not as long as `values`.
///
/// ```
/// let mut output = [0.0; 2];
/// edgeclip_kernels::quantise::to_floats(&[3, -128], 0.5, 3, &mut output);
/// assert_eq!(output, [0.0, -65.5]);
/// ```
pub fn to_floats(values: &[i8], scale: f32, zero: i8, output: &mut [f32]) {
    assert_eq!(values.len(), output.len(), "values and output");
    for (q, x) in values.iter().zip(output) {
        *x = f32::from(i16::from(*q) - i16::from(zero)) * scale;
    }
}

#[cfg(test)]
mod tests {
    use super::{to_floats, to_int8};

    #[test]
    fn numbers_are_those_of_the_formula() {
        let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, -0.0, 1e-40];
        let values: Vec<f32> = (-3000..3000).map(|i| i as f32 * 0.0625).chain(special).collect();
        for scale in [0.125f32, 0.3, 1.0, 3e-39, 1e30] {
            for zero in [-128i8, -1, 0, 7, 127] {
                let mut output = vec![0; values.len()];
                to_int8(&values, scale, zero, &mut output);
                for (x, q) in values.iter().zip(&output) {
                    let steps = (x / scale).round_ties_even() + f32::from(zero);
                    let expected = if steps.is_nan() { -128.0 } else { steps.clamp(-128.0, 127.0) } as i8;
                    assert_eq!(*q, expected, "{x} / {scale} + {zero}");
                }
            }
        }
    }

    #[test]
    fn what_was_quantised_comes_back() {
        let all: Vec<i8> = (i8::MIN..=i8::MAX).collect();
        for zero in [-128i8, 0, 127] {
            let (mut floats, mut again) = (vec![0.0; all.len()], vec![0; all.len()]);
            to_floats(&all, 0.1, zero, &mut floats);
            to_int8(&floats, 0.1, zero, &mut again);
            assert_eq!(again, all);
        }
    }
}
