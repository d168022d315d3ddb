//! The specification.
#![forbid(unsafe_code)]

use super::Affine;
use crate::requantise::round;

#[inline(always)]
pub(super) fn run(affine: &Affine, input: &[i8], stride: usize, output: &mut [i8]) {
    let Affine { zeros, multiplier, offset, slope, low, high } = affine;
    let channels = multiplier.len();
    for (output, input) in output.chunks_exact_mut(channels).zip(input.chunks(stride)) {
        let constants = multiplier.iter().zip(offset).zip(slope);
        for ((to, &x), ((&multiplier, &offset), &slope)) in output.iter_mut().zip(input).zip(constants) {
            let value = (i32::from(x) - zeros[0]) as f32 * multiplier + offset;
            let value = if value < 0.0 { value * slope } else { value };
            *to = round(value, zeros[1], *low, *high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Affine;
    use crate::{Isa, affine};

    #[test]
    fn by_hand() {
        let constants = Affine {
            zeros: [1, -2],
            multiplier: vec![0.5, -2.0],
            offset: vec![0.25, 1.0],
            slope: vec![1.0, 0.25],
            low: -100,
            high: 120,
        };
        for isa in Isa::available() {
            let mut output = [0; 6];
            affine::run(isa, &constants, &[4, 4, 99, -128, 127, 99, 127, -128], 3, &mut output);
            // 1.75 → 2; (−5)·¼ = −1.25 → −1; −64.25 → −64; −251·¼ = −62.75 → −63; 63.25 → 63; 259 saturates.
            assert_eq!(output, [0, -3, -66, -65, 61, 120], "{isa:?}");
        }
    }
}
