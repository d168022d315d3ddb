//! The specification.
#![forbid(unsafe_code)]

use super::Softmax;
use crate::requantise::round;

#[inline(always)]
pub(super) fn run(softmax: &Softmax, scratch: &mut [i32], input: &[i8], output: &mut [i8]) {
    let Softmax { length, exponentials, inverse, zero, low, high } = softmax;
    for (input, output) in input.chunks_exact(*length).zip(output.chunks_exact_mut(*length)) {
        let most = i32::from(input.iter().fold(-128, |most, &x| if x > most { x } else { most }));
        let mut sum = 0u32;
        for (to, &x) in scratch.iter_mut().zip(input) {
            // At most 255: both are int8.
            *to = exponentials[(most - i32::from(x)) as usize & 255];
            sum = sum.wrapping_add(*to as u32);
        }
        let factor = inverse / sum as f32;
        for (to, &e) in output.iter_mut().zip(&*scratch) {
            *to = round(e as f32 * factor, *zero, *low, *high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Softmax;
    use crate::{Isa, softmax};

    #[test]
    fn halves_and_quarters_by_hand() {
        // exp(−d·sx) = 2^−d.
        let bits = Softmax::bits(3);
        let exponentials = Box::new(std::array::from_fn(|d| if d > 24 { 0 } else { 1 << (bits - d as u32) }));
        let softmax = Softmax { length: 3, exponentials, inverse: 256.0, zero: -128, low: -128, high: 127 };
        for isa in Isa::available() {
            let mut output = [0; 6];
            softmax::run(isa, &softmax, &mut Vec::new(), &[5, 4, 4, 127, -128, 0], &mut output);
            assert_eq!(output, [0, -64, -64, 127, -128, -128], "{isa:?}");
        }
    }

    #[test]
    fn sums_fit() {
        for length in [1, 2, 3, 128, 129, 4096, 1 << 20] {
            assert!((length as u64) << Softmax::bits(length) <= 1 << 31, "{length}");
        }
    }
}
