//! The specification.
#![forbid(unsafe_code)]

use super::{Power, Response};
use crate::requantise::round;

#[inline(always)]
pub(super) fn run(
    response: &Response,
    channels: usize,
    scratch: &mut [i32],
    input: &[i8],
    output: &mut [i8],
) {
    match response.power {
        Power::Half => pixels(response, channels, scratch, input, output, f32::sqrt),
        Power::ThreeQuarters => {
            pixels(response, channels, scratch, input, output, |t| {
                let root = t.sqrt();
                root * root.sqrt()
            });
        }
        Power::One => pixels(response, channels, scratch, input, output, |t| t),
    }
}

#[inline(always)]
fn pixels(
    response: &Response,
    channels: usize,
    scratch: &mut [i32],
    input: &[i8],
    output: &mut [i8],
    power: impl Fn(f32) -> f32,
) {
    let Response { before, after, bias, factor, zeros, multiplier, low, high, .. } = *response;
    // Squares between zeros, as the window reaches beyond the channels; then their sums.
    let (squares, sums) = scratch.split_at_mut(before + channels + after);
    for (input, output) in input.chunks_exact(channels).zip(output.chunks_exact_mut(channels)) {
        for (to, &x) in squares[before..].iter_mut().zip(input) {
            let x = i32::from(x) - zeros[0];
            *to = x * x;
        }
        sums.copy_from_slice(&squares[..channels]);
        for shift in 1..=before + after {
            for (sum, square) in sums.iter_mut().zip(&squares[shift..]) {
                *sum += square;
            }
        }
        for ((to, &x), &sum) in output.iter_mut().zip(input).zip(&*sums) {
            let divisor = power(bias + factor * sum as f32);
            let value = (i32::from(x) - zeros[0]) as f32 * multiplier / divisor;
            *to = round(value, zeros[1], low, high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Power, Response};
    use crate::{Isa, response};

    #[test]
    fn sums_and_powers_by_hand() {
        let given = Response {
            before: 0,
            after: 1,
            bias: 0.0,
            factor: 1.0,
            power: Power::One,
            zeros: [1, 3],
            multiplier: 100.0,
            low: -128,
            high: 127,
        };
        for isa in Isa::available() {
            let run = |given: &Response| {
                let mut output = [0; 6];
                response::run(isa, given, 3, &mut Vec::new(), &[3, 5, -1, 1, 2, 3], &mut output);
                output
            };
            // 200/20, 400/20, −200/4; 0/1, 100/5, 200/4.
            assert_eq!(run(&given), [13, 23, -47, 3, 23, 53]);
            // 20/√(4 + 16) = 4.47, 40/4.47 = 8.9, −20/2; 0, 10/√5 = 4.47, 20/2.
            let half = Response { power: Power::Half, multiplier: 10.0, ..given };
            assert_eq!(run(&half), [7, 12, -7, 3, 7, 13]);
            // 20/20^¾ = 2.11, 4.23, −20/4^¾ = −7.07; 0, 10/5^¾ = 2.99, 7.07.
            assert_eq!(run(&Response { power: Power::ThreeQuarters, ..half }), [5, 7, -4, 3, 6, 10]);
        }
    }
}
