//! Nearest upsampling to twice the height and width: every pixel four times.

mod scalar;

use super::bounds;

/// `output[y][x] = input[y / 2][x / 2]` for a dense `input` of `width` pixels per row; `output`
/// begins at row `first`.
///
/// # Panics
/// If `input` is too short.
pub fn twice(width: usize, channels: usize, input: &[i8], first: usize, output: &mut [i8]) {
    assert!(bounds::product([4, width, channels]).is_some() && first <= isize::MAX as usize);
    assert!(output.len().is_multiple_of(2 * width * channels));
    scalar::twice(width, channels, input, first, output);
}
