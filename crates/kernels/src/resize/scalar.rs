//! The specification: each pass computes `clamp((2^21 + Σ weight · pixel) >> 22, 0, 255)` in i32.
#![forbid(unsafe_code)]

use super::Rows;
use super::coefficients::{Axis, FRACTION_BITS};

/// Values whose sums are computed side by side.
const LANES: usize = 16;

/// One half in fixed point: makes the shift round to nearest.
const HALF: i32 = 1 << (FRACTION_BITS - 1);

/// One row of three planes to `axis.len()` pixels.
pub(super) fn horizontal(axis: &Axis, row: &[u8], out: &mut [u8]) {
    let [reds, greens, blues] = [0, 1, 2].map(|channel| &row[channel * row.len() / 3..]);
    let (red, rest) = out.split_at_mut(out.len() / 3);
    let (green, blue) = rest.split_at_mut(red.len());
    for (x, ((red, green), blue)) in red.iter_mut().zip(green).zip(blue).take(axis.len()).enumerate() {
        let span = axis.first(x)..axis.first(x) + axis.taps();
        let pixels = reds[span.clone()].iter().zip(&greens[span.clone()]).zip(&blues[span]);
        let mut sums = [HALF; 3];
        for (weight, ((r, g), b)) in axis.weights(x).iter().zip(pixels) {
            for (sum, &value) in sums.iter_mut().zip([r, g, b]) {
                *sum += weight * i32::from(value);
            }
        }
        [*red, *green, *blue] = sums.map(to_u8);
    }
}

/// One row of one plane, minus 128.
pub(super) fn vertical(weights: &[i32], from: Rows<&[u8]>, out: &mut [i8]) {
    for (at, out) in out.chunks_mut(LANES).enumerate() {
        let mut sums = [HALF; LANES];
        for (row, weight) in from.bytes[at * LANES..].chunks(3 * from.width).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * i32::from(value);
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            // Flipping the top bit subtracts 128 in two's complement.
            *out = (to_u8(sum) ^ 0x80) as i8;
        }
    }
}

fn to_u8(sum: i32) -> u8 {
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}
