//! The specification.
#![forbid(unsafe_code)]

use super::Upsample;
use crate::requantise::round;

/// The nearer input of output `at`, which has weight three, and the farther one; the border is repeated.
#[inline(always)]
pub(super) fn neighbours(at: usize, size: usize) -> [usize; 2] {
    let near = at / 2;
    let far = if at.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(size - 1) };
    [near, far]
}

#[inline(always)]
pub(super) fn twice(upsample: &Upsample, input: &[i8], first: usize, output: &mut [i8]) {
    let Upsample { size: [height, width], channels, zeros, multiplier } = *upsample;
    for (at, output) in output.chunks_exact_mut(channels).enumerate() {
        let rows = neighbours(first + at / (2 * width), height);
        let columns = neighbours(at % (2 * width), width);
        let pixel = |row: usize, column: usize| &input[(row * width + column) * channels..][..channels];
        let near = pixel(rows[0], columns[0]).iter().zip(pixel(rows[0], columns[1]));
        let far = pixel(rows[1], columns[0]).iter().zip(pixel(rows[1], columns[1]));
        for (to, ((&a, &b), (&c, &d))) in output.iter_mut().zip(near.zip(far)) {
            let sum = 9 * i32::from(a) + 3 * (i32::from(b) + i32::from(c)) + i32::from(d) - 16 * zeros[0];
            *to = round(sum as f32 * multiplier, zeros[1], -128, 127);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Upsample;
    use crate::{Isa, upsample};

    #[test]
    fn a_row_by_hand_on_every_isa() {
        let row = Upsample { size: [1, 2], channels: 1, zeros: [0, 0], multiplier: 1.0 / 16.0 };
        for isa in Isa::available() {
            let mut output = [0; 8];
            // Rows repeat; columns: 0, 0.75·0 + 0.25·10 = 2.5 → 2, 7.5 → 8, 10.
            upsample::twice(isa, &row, &[0, 10], 0, &mut output[..4]);
            upsample::twice(isa, &row, &[0, 10], 1, &mut output[4..]);
            assert_eq!(output, [0, 2, 8, 10, 0, 2, 8, 10]);
        }
    }

    #[test]
    fn every_isa_gives_what_scalar_gives() {
        for channels in [1, 15, 16, 17, 33] {
            let up = Upsample { size: [3, 4], channels, zeros: [-9, 4], multiplier: 0.071 };
            let input: Vec<i8> = (0..12 * channels).map(|i| ((i * 7919) >> 3) as i8).collect();
            let run = |isa| {
                let mut output = vec![0; 48 * channels];
                upsample::twice(isa, &up, &input, 0, &mut output);
                output
            };
            let expected = run(Isa::SCALAR);
            for isa in Isa::available() {
                assert!(run(isa) == expected, "{isa:?} {channels}");
            }
        }
    }
}
