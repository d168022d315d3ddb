//! The specification.
#![forbid(unsafe_code)]

use super::Interpolate;
use crate::lanes::{bytes, float};
use crate::requantise::round;

#[inline(always)]
pub(super) fn run(interpolate: &Interpolate, input: &[i8], first: usize, output: &mut [i8]) {
    let Interpolate { size: [_, width], channels, rows, columns, zeros, multiplier } = interpolate;
    let line = columns.len() * channels;
    for (row, output) in rows[first..].iter().zip(output.chunks_exact_mut(line)) {
        for (column, output) in columns.iter().zip(output.chunks_exact_mut(*channels)) {
            let pixel = |y: usize, x: usize| {
                let at = (row.neighbours[y] * width + column.neighbours[x]) * channels;
                &input[at..][..*channels]
            };
            let (top, bottom) = (pixel(0, 0).iter().zip(pixel(0, 1)), pixel(1, 0).iter().zip(pixel(1, 1)));
            for (to, ((a, b), (c, d))) in output.iter_mut().zip(top.zip(bottom)) {
                let real = |q: &i8| (i32::from(*q) - zeros[0]) as f32;
                let mixed = |a: &i8, b: &i8| (1.0 - column.share) * real(a) + column.share * real(b);
                let value = (1.0 - row.share) * mixed(a, b) + row.share * mixed(c, d);
                *to = round(value * multiplier, zeros[1], -128, 127);
            }
        }
    }
}

#[inline(always)]
pub(super) fn real(interpolate: &Interpolate, input: &[i8], first: usize, output: &mut [i8]) {
    let Interpolate { size: [_, width], channels, rows, columns, .. } = interpolate;
    let line = columns.len() * channels;
    let (input, _) = input.as_chunks::<4>();
    for (row, output) in rows[first..].iter().zip(output.as_chunks_mut().0.chunks_exact_mut(line)) {
        for (column, output) in columns.iter().zip(output.chunks_exact_mut(*channels)) {
            let pixel = |y: usize, x: usize| {
                let at = (row.neighbours[y] * width + column.neighbours[x]) * channels;
                &input[at..][..*channels]
            };
            let (top, bottom) = (pixel(0, 0).iter().zip(pixel(0, 1)), pixel(1, 0).iter().zip(pixel(1, 1)));
            for (to, ((a, b), (c, d))) in output.iter_mut().zip(top.zip(bottom)) {
                let mixed =
                    |a: &[i8; 4], b: &[i8; 4]| (1.0 - column.share) * float(a) + column.share * float(b);
                let value = (1.0 - row.share) * mixed(a, b) + row.share * mixed(c, d);
                *to = bytes(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Between;
    use super::Interpolate;
    use crate::lanes::{bytes, float};
    use crate::{Isa, interpolate};

    #[test]
    fn by_hand() {
        let between = |a: usize, b: usize, share: f32| Between { neighbours: [a, b], share };
        let given = Interpolate {
            size: [2, 2],
            channels: 2,
            rows: vec![between(0, 0, 0.0), between(0, 1, 0.5)],
            columns: vec![between(0, 1, 0.25), between(1, 1, 0.0), between(0, 1, 0.75)],
            zeros: [10, -5],
            multiplier: 2.0,
        };
        let input = [10, 14, 20, 14, 30, -10, 10, 127];
        for isa in Isa::available() {
            let mut output = [0; 12];
            interpolate::run(isa, &given, &input, 0, &mut output);
            // Row 0 of channel 0 lies from 0 to 10, row 1 from 20 to 0 (less the zero point).
            assert_eq!([output[0], output[2], output[4]], [0, 15, 10], "{isa:?}");
            // Halfway: 8.75, 5 and 6.25.
            assert_eq!([output[6], output[8], output[10]], [13, 5, 7], "{isa:?}");
            assert_eq!([output[1], output[3]], [3, 3], "{isa:?}");
            // The same in float, without scales.
            let input: Vec<i8> = input.iter().flat_map(|&q| bytes(f32::from(q) - 10.0)).collect();
            let mut reals = [0; 48];
            interpolate::real(isa, &given, &input, 0, &mut reals);
            let reals: Vec<f32> = reals.as_chunks().0.iter().map(float).collect();
            assert_eq!([reals[0], reals[2], reals[4]], [2.5, 10.0, 7.5], "{isa:?}");
            assert_eq!([reals[6], reals[8], reals[10]], [8.75, 5.0, 6.25], "{isa:?}");
        }
    }
}
