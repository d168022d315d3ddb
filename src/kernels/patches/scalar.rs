//! The specification. Copying is bound by memory: no instruction set does it better.
#![forbid(unsafe_code)]

use super::Window;

pub(super) fn row(window: &Window, channels: usize, padding: i8, input: &[i8], y: usize, output: &mut [i8]) {
    let [height, width] = window.kernel;
    let line = width * channels;
    for (x, patch) in output.chunks_exact_mut(height * line).enumerate() {
        for (tap, to) in patch.chunks_exact_mut(line).enumerate() {
            let Some(row) = window.source(0, y, tap) else {
                to.fill(padding);
                continue;
            };
            let row = row * window.input[1];
            let left = x * window.stride[1];
            if left >= window.pad[1] && left - window.pad[1] + width <= window.input[1] {
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
}

#[cfg(test)]
mod tests {
    use super::{Window, row};

    #[test]
    fn padding_and_steps_are_where_they_should_be() {
        let window = Window { input: [3, 3], output: [2, 2], kernel: [2, 2], stride: [2, 2], pad: [1, 1] };
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
