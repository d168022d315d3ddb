//! The specification: each pass computes `clamp((2^21 + Σ weight · pixel) >> 22, 0, 255)` in i32.
#![forbid(unsafe_code)]

use super::coefficients::{Axis, FRACTION_BITS};

/// Values whose sums are computed beside each other.
const LANES: usize = 16;

/// One half in fixed point: the shift then rounds to nearest.
const HALF: i32 = 1 << (FRACTION_BITS - 1);

/// One row of one plane to `axis.len()` pixels.
pub(super) fn horizontal(axis: &Axis, row: &[u8], out: &mut [u8]) {
    for (x, out) in out[..axis.len()].iter_mut().enumerate() {
        let taps = row[axis.first(x)..].iter().zip(axis.weights(x));
        *out = to_u8(taps.fold(HALF, |sum, (&value, weight)| sum + weight * i32::from(value)));
    }
}

/// One row of one plane, less 128, from rows that start every `stride` bytes.
pub(super) fn vertical(rows: &[u8], stride: usize, weights: &[i32], out: &mut [i8]) {
    for (at, out) in out.chunks_mut(LANES).enumerate() {
        let mut sums = [HALF; LANES];
        for (row, weight) in rows[at * LANES..].chunks(stride).zip(weights) {
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
