//! The specification.
#![forbid(unsafe_code)]

use super::Multiply;
use crate::requantise::round;

#[inline(always)]
pub(super) fn run(multiply: &Multiply, a: &[i8], b: &[i8], output: &mut [i8]) {
    let Multiply { zeros, multiplier, zero, low, high } = *multiply;
    for (output, a) in output.chunks_mut(b.len()).zip(a.chunks(b.len())) {
        for (to, (&a, &b)) in output.iter_mut().zip(a.iter().zip(b)) {
            let product = (i32::from(a) - zeros[0]) * (i32::from(b) - zeros[1]);
            *to = round(product as f32 * multiplier, zero, low, high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Multiply, run};
    use crate::{Isa, multiply};

    #[test]
    fn ties_go_to_even_and_ends_saturate() {
        let product = Multiply { zeros: [1, 0], multiplier: 0.5, zero: 2, low: -100, high: 127 };
        let mut output = [0; 5];
        run(&product, &[2, 4, 4, 127, -128], &[1, 1, -1, 127, 127], &mut output);
        // 0.5 → 0, 1.5 → 2, −1.5 → −2.
        assert_eq!(output, [2, 4, 0, 127, -100]);
    }

    #[test]
    fn one_factor_a_channel_repeats() {
        let product = Multiply { zeros: [0, 0], multiplier: 1.0, zero: 0, low: -128, high: 127 };
        let mut output = [0; 5];
        run(&product, &[1, 2, 3, 4, 5], &[10, -1], &mut output);
        assert_eq!(output, [10, -2, 30, -4, 50]);
    }

    #[test]
    fn every_isa_gives_what_scalar_gives() {
        let product = Multiply { zeros: [-7, 12], multiplier: 0.0071, zero: -3, low: -100, high: 120 };
        let a: Vec<i8> = (0..65_536).map(|i| (i >> 8) as u8 as i8).collect();
        let b: Vec<i8> = (0..65_536).map(|i| i as u8 as i8).collect();
        for b in [&b[..], &b[..19]] {
            let mut expected = vec![0; a.len()];
            run(&product, &a, b, &mut expected);
            for isa in Isa::available() {
                let mut found = vec![0; a.len()];
                multiply::run(isa, &product, &a, b, &mut found);
                assert!(found == expected, "{isa:?}");
            }
        }
    }
}
