//! The specification. Copying is memory-bound: SIMD would not be faster.
#![forbid(unsafe_code)]

pub(super) fn twice(width: usize, channels: usize, input: &[i8], first: usize, output: &mut [i8]) {
    let line = width * channels;
    for (y, output) in output.chunks_exact_mut(2 * line).enumerate() {
        let input = &input[(first + y) / 2 * line..][..line];
        for (to, pixel) in output.chunks_exact_mut(2 * channels).zip(input.chunks_exact(channels)) {
            to[..channels].copy_from_slice(pixel);
            to[channels..].copy_from_slice(pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::twice;

    #[test]
    fn rows_and_columns_by_hand() {
        let mut output = [0; 24];
        twice(2, 2, &[1, 2, 3, 4, 5, 6, 7, 8], 1, &mut output);
        let (upper, lower) = ([1, 2, 1, 2, 3, 4, 3, 4], [5, 6, 5, 6, 7, 8, 7, 8]);
        assert_eq!(output, [upper, lower, lower].concat()[..]);
    }
}
