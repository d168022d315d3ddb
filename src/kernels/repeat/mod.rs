//! Nearest upsampling to twice the height and width: every pixel four times.

mod scalar;

/// `output[y][x] = input[y / 2][x / 2]` for a dense `input` of `width` pixels per row; `output`
/// begins at row `first`.
///
/// # Panics
/// If `input` is too short.
pub fn twice(width: usize, channels: usize, input: &[i8], first: usize, output: &mut [i8]) {
    scalar::twice(width, channels, input, first, output);
}
