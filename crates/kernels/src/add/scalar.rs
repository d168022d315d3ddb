//! The specification.
#![forbid(unsafe_code)]

use super::Add;
use crate::requantise::round;

#[inline(always)]
pub(super) fn run(add: &Add, a: &[i8], b: &[i8], output: &mut [i8]) {
    let Add { zeros, multipliers, zero, low, high } = *add;
    for (to, (&a, &b)) in output.iter_mut().zip(a.iter().zip(b)) {
        let a = (i32::from(a) - zeros[0]) as f32 * multipliers[0];
        let b = (i32::from(b) - zeros[1]) as f32 * multipliers[1];
        *to = round(a + b, zero, low, high);
    }
}

#[cfg(test)]
mod tests {
    use super::{Add, run};
    use crate::{Isa, add};

    #[test]
    fn ties_go_to_even_and_ends_saturate() {
        let sum = Add { zeros: [0, 0], multipliers: [0.5, 0.5], zero: 0, low: -128, high: 127 };
        let mut output = [0; 5];
        run(&sum, &[1, 2, 3, -1, 127], &[0, 1, 0, 0, 127], &mut output);
        assert_eq!(output, [0, 2, 2, 0, 127]);
        let sum = Add { multipliers: [9.0, 9.0], zero: 3, ..sum };
        run(&sum, &[100, -100, 0, 0, 0], &[0; 5], &mut output);
        assert_eq!(output, [127, -128, 3, 3, 3]);
    }

    #[test]
    fn every_isa_gives_what_scalar_gives() {
        let sum = Add { zeros: [-7, 12], multipliers: [0.71, 1.37], zero: -3, low: -100, high: 120 };
        let a: Vec<i8> = (0..65_536).map(|i| (i >> 8) as u8 as i8).collect();
        let b: Vec<i8> = (0..65_536).map(|i| i as u8 as i8).collect();
        let mut expected = vec![0; a.len()];
        run(&sum, &a, &b, &mut expected);
        for isa in Isa::available() {
            for count in [a.len(), 1, 15, 17, 37] {
                let mut found = vec![0; count];
                add::run(isa, &sum, &a, &b, &mut found);
                assert!(found == expected[..count], "{isa:?} {count}");
            }
        }
    }
}
