//! The specification.
#![forbid(unsafe_code)]

use super::Window;

pub(super) fn row(window: &Window, channels: usize, padding: i8, input: &[i8], y: usize, output: &mut [i8]) {
    let [height, width] = window.kernel;
    for (x, output) in output.chunks_exact_mut(height * width * channels).enumerate() {
        patch(window, channels, padding, input, [y, x], output);
    }
}

/// The patch of one output pixel.
pub(super) fn patch(
    window: &Window,
    channels: usize,
    padding: i8,
    input: &[i8],
    [y, x]: [usize; 2],
    output: &mut [i8],
) {
    let width = window.kernel[1];
    let line = width * channels;
    for (tap, to) in output.chunks_exact_mut(line).enumerate() {
        let Some(row) = window.source(0, y, tap) else {
            to.fill(padding);
            continue;
        };
        let row = row * window.input[1];
        let left = x * window.stride[1];
        if window.dilation[1] == 1 && left >= window.pad[1] && left - window.pad[1] + width <= window.input[1]
        {
            to.copy_from_slice(&input[(row + left - window.pad[1]) * channels..][..line]);
            continue;
        }
        for (tap, to) in to.chunks_exact_mut(channels).enumerate() {
            match window.source(1, x, tap) {
                Some(column) => to.copy_from_slice(&input[(row + column) * channels..][..channels]),
                None => to.fill(padding),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Window, row};
    use crate::patches;

    #[test]
    fn registers_copy_what_bytes_copy() {
        for channels in [1, 3, 5, 16, 21, 64] {
            for (kernel, pad) in [([3, 3], [1, 1]), ([1, 2], [0, 0]), ([7, 7], [3, 3]), ([2, 5], [0, 4])] {
                for stride in [1, 2, 3] {
                    let input = [9, 13];
                    let output = [0, 1].map(|axis| (input[axis] + 2 * pad[axis] - kernel[axis]) / stride + 1);
                    let window = Window { input, output, kernel, stride: [stride; 2], pad, dilation: [1; 2] };
                    let x: Vec<i8> = (0..9 * 13 * channels).map(|i| ((i * 7919) >> 3) as i8).collect();
                    let patch = kernel[0] * kernel[1] * channels;
                    for y in 0..output[0] {
                        let (mut expected, mut found) =
                            (vec![1; output[1] * patch], vec![2; output[1] * patch]);
                        row(&window, channels, -9, &x, y, &mut expected);
                        patches::row(&window, channels, -9, &x, y, &mut found);
                        assert!(found == expected, "{channels} channels, row {y}, {window:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn padding_and_steps_are_where_they_should_be() {
        let window = Window {
            input: [3, 3],
            output: [2, 2],
            kernel: [2, 2],
            stride: [2, 2],
            pad: [1, 1],
            dilation: [1; 2],
        };
        let input = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        let mut output = [0; 8];
        row(&window, 1, -9, &input, 0, &mut output);
        assert_eq!(output, [-9, -9, -9, 1, -9, -9, 2, 3]);
        row(&window, 1, -9, &input, 1, &mut output);
        assert_eq!(output, [-9, 4, -9, 7, 5, 6, 8, 9]);
        let window = Window { pad: [0, 0], ..window };
        row(&window, 1, -9, &input, 1, &mut output);
        assert_eq!(output, [7, 8, -9, -9, 9, -9, -9, -9]);
    }
}
