//! The specification. Copying is memory-bound: SIMD would not be faster.
#![forbid(unsafe_code)]

use super::Pad;

pub(super) fn run(pad: &Pad, input: &[i8], stride: usize, first: usize, output: &mut [i8]) {
    let [height, width, channels] = pad.input;
    let [_, columns, wide] = pad.output;
    for (y, row) in output.chunks_exact_mut(columns * wide).enumerate() {
        row.fill(pad.fill);
        let Some(y) = (first + y).checked_sub(pad.before[0]) else { continue };
        if !y.is_multiple_of(pad.apart[0]) || y / pad.apart[0] >= height {
            continue;
        }
        let from = input[y / pad.apart[0] * width * stride..].chunks(stride).take(width);
        let to = row[pad.before[1] * wide..].chunks_exact_mut(wide).step_by(pad.apart[1]);
        for (to, from) in to.zip(from) {
            to[pad.before[2]..][..channels].copy_from_slice(&from[..channels]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pad;
    use crate::pad;

    #[test]
    fn by_hand() {
        let given = Pad { input: [1, 2, 1], output: [3, 3, 2], before: [1, 0, 1], apart: [1; 2], fill: 9 };
        let mut output = [0; 12];
        pad::run(&given, &[1, 0, 2], 2, 1, &mut output);
        assert_eq!(output, [9, 1, 9, 2, 9, 9, 9, 9, 9, 9, 9, 9]);
    }

    #[test]
    fn apart_by_hand() {
        let given = Pad { input: [2, 2, 1], output: [4, 5, 1], before: [1, 0, 0], apart: [2, 3], fill: 9 };
        let mut output = [0; 20];
        pad::run(&given, &[1, 2, 3, 4], 1, 0, &mut output);
        assert_eq!(output, [9, 9, 9, 9, 9, 1, 9, 9, 2, 9, 9, 9, 9, 9, 9, 3, 9, 9, 4, 9]);
    }
}
