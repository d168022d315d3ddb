//! The specification.
#![forbid(unsafe_code)]

use super::{Factors, MatMul, Scratch};
use crate::requantise::round;
use crate::wide::dot;

#[inline(always)]
pub(super) fn run(product: &MatMul, scratch: &mut Scratch, a: &[i8], b: &[i8], output: &mut [i8]) {
    let MatMul { factors, multiplier, zero, low, high } = product;
    each(factors, scratch, a, b, output, |sum| round(sum as f32 * multiplier, *zero, *low, *high));
}

#[inline(always)]
pub(super) fn sums(factors: &Factors, scratch: &mut Scratch, a: &[i8], b: &[i8], output: &mut [i32]) {
    each(factors, scratch, a, b, output, |sum| sum);
}

/// What `made` makes of every sum.
#[inline(always)]
fn each<T>(
    factors: &Factors,
    scratch: &mut Scratch,
    a: &[i8],
    b: &[i8],
    output: &mut [T],
    made: impl Fn(i32) -> T,
) {
    let Factors { length, zeros: [za, zb] } = *factors;
    let Scratch { row, matrix } = scratch;
    widen(b, zb, matrix);
    let columns = b.len() / length;
    for (a, output) in a.chunks_exact(length).zip(output.chunks_exact_mut(columns)) {
        widen(a, za, row);
        for (to, b) in output.iter_mut().zip(matrix.chunks_exact(length)) {
            *to = made(dot(row, b));
        }
    }
}

/// From −255 to 255.
#[inline(always)]
fn widen(from: &[i8], zero: i32, to: &mut Vec<i16>) {
    to.clear();
    to.extend(from.iter().map(|&value| (i32::from(value) - zero) as i16));
}

#[cfg(test)]
mod tests {
    use super::{Factors, MatMul, Scratch};
    use crate::{Isa, matmul};

    #[test]
    fn by_hand() {
        let factors = Factors { length: 2, zeros: [1, -2] };
        let product = MatMul { factors, multiplier: 0.5, zero: 3, low: -100, high: 127 };
        for isa in Isa::available() {
            let mut output = [0; 4];
            // (4, −2) · (3, 5) = 2, · (−126, 129) = −762; (0, 126) · (3, 5) = 630, · (−126, 129) = 16254.
            let (a, b) = ([5, -1, 1, 127], [1, 3, -128, 127]);
            matmul::run(isa, &product, &mut Scratch::default(), &a, &b, &mut output);
            assert_eq!(output, [4, -100, 127, 127], "{isa:?}");
            let mut sums = [0; 4];
            matmul::sums(isa, &factors, &mut Scratch::default(), &a, &b, &mut sums);
            assert_eq!(sums, [2, -762, 630, 16254], "{isa:?}");
        }
    }
}
