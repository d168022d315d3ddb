//! The specification.
#![forbid(unsafe_code)]

use super::ConvResidual;
use crate::requantise::round;

#[inline(always)]
pub(super) fn run(
    conv: &ConvResidual,
    sums: &mut Vec<i32>,
    input: &[i8],
    stride: usize,
    residual: &[i8],
    output: &mut [i8],
) {
    let ConvResidual { weights, requantise, residual: added, .. } = conv;
    let outputs = requantise.bias.len();
    let inputs = weights.len() / outputs;
    let pixels = output.chunks_exact_mut(outputs).zip(residual.chunks_exact(outputs));
    for ((output, residual), pixel) in pixels.zip(input.chunks(stride)) {
        sums.clear();
        sums.extend_from_slice(&requantise.bias);
        for (&x, column) in pixel[..inputs].iter().zip(weights.chunks_exact(outputs)) {
            for (sum, &w) in sums.iter_mut().zip(column) {
                *sum = sum.wrapping_add(i32::from(w) * i32::from(x));
            }
        }
        let terms = sums.iter().zip(&requantise.multiplier).zip(residual);
        for (to, ((&sum, &multiplier), &r)) in output.iter_mut().zip(terms) {
            let r = (i32::from(r) - added.zero) as f32 * added.multiplier;
            *to = round(sum as f32 * multiplier + r, requantise.zero, requantise.low, requantise.high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ConvResidual, Residual};
    use crate::Isa;
    use crate::requantise::Requantise;

    fn requantise(outputs: usize, multiplier: f32) -> Requantise {
        let bias = (0..outputs as i32).collect();
        Requantise { bias, multiplier: vec![multiplier; outputs], zero: 1, low: -20, high: 127, table: None }
    }

    #[test]
    fn both_terms_are_added_before_rounding() {
        let residual = Residual { zero: 2, multiplier: 0.25 };
        for isa in Isa::available() {
            let conv = ConvResidual::new(isa, &[1, 2, 3, 4], requantise(2, 0.25), residual);
            let mut output = [0; 4];
            conv.run(&mut Vec::new(), &[1, 1, 9, 9, -9, -9], 4, &[3, 1, 2, 2], &mut output);
            // (3·¼ + 1·¼) + 1 = 2, (8·¼ − 1·¼) + 1 = 2.75 → 2 + 1; second pixel −27·¼ → −7 +
            // 1, −62·¼ → −16 + 1.
            assert_eq!(output, [2, 3, -6, -15]);
        }
    }

    #[test]
    fn every_isa_gives_what_scalar_gives() {
        for (inputs, outputs) in [(1, 1), (3, 17), (16, 33), (40, 64)] {
            let values = |count: usize, seed: usize| -> Vec<i8> {
                (0..count).map(|i| ((i + seed).wrapping_mul(7919) >> 3) as i8).collect()
            };
            let (weights, input) = (values(inputs * outputs, 1), values(5 * inputs, 2));
            let added = values(5 * outputs, 3);
            let run = |isa| {
                let residual = Residual { zero: -4, multiplier: 0.37 };
                let conv = ConvResidual::new(isa, &weights, requantise(outputs, 0.0031), residual);
                let mut output = vec![0; added.len()];
                conv.run(&mut Vec::new(), &input, inputs, &added, &mut output);
                output
            };
            let expected = run(Isa::SCALAR);
            for isa in Isa::available() {
                assert!(run(isa) == expected, "{isa:?} {inputs} {outputs}");
            }
        }
    }
}
