//! The specification: horizontal pass first, 8 bits in between, a pass left out where that side stays as it is.
#![forbid(unsafe_code)]

use super::coefficients::{FRACTION_BITS, Taps, taps};

const CHANNELS: usize = 3;

/// Resizes `source`, rows of `from.0` RGB pixels `stride` bytes apart, `from.1` of them, to `to.0` × `to.1` pixels
/// without padding.
///
/// Each pass computes `clamp((2^21 + Σ weight · pixel) >> 22, 0, 255)` in i32.
///
/// # Panics
/// If a side is zero or `source` is shorter than its rows; `Frame::check` rules both out.
pub fn resize(source: &[u8], stride: usize, from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    let rows = source.chunks(stride).take(from.1).map(|row| &row[..from.0 * CHANNELS]);
    let mut wide = Vec::with_capacity(to.0 * from.1 * CHANNELS);
    if from.0 == to.0 {
        rows.for_each(|row| wide.extend_from_slice(row));
    } else {
        let columns = taps(from.0, to.0);
        rows.for_each(|row| horizontal(row, &columns, &mut wide));
    }
    if from.1 == to.1 { wide } else { vertical(&wide, to.0 * CHANNELS, &taps(from.1, to.1)) }
}

/// Appends one row whose pixel `x` sums up `columns[x]` of `row`.
fn horizontal(row: &[u8], columns: &[Taps], out: &mut Vec<u8>) {
    for Taps { first, weights } in columns {
        let pixels = row[first * CHANNELS..][..weights.len() * CHANNELS].as_chunks::<CHANNELS>().0;
        let mut sum = [HALF; CHANNELS];
        for (pixel, weight) in pixels.iter().zip(weights) {
            for (sum, &value) in sum.iter_mut().zip(pixel) {
                *sum += weight * i32::from(value);
            }
        }
        out.extend(sum.map(to_u8));
    }
}

/// Rows of `width` bytes, of which row `y` sums up `rows[y]` of `source`.
fn vertical(source: &[u8], width: usize, rows: &[Taps]) -> Vec<u8> {
    let mut out = Vec::with_capacity(width * rows.len());
    let mut sums = vec![HALF; width];
    for Taps { first, weights } in rows {
        sums.fill(HALF);
        for (row, weight) in source[first * width..].chunks_exact(width).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += weight * i32::from(value);
            }
        }
        out.extend(sums.iter().map(|&sum| to_u8(sum)));
    }
    out
}

/// One half in fixed point: the shift then rounds to nearest.
const HALF: i32 = 1 << (FRACTION_BITS - 1);

fn to_u8(sum: i32) -> u8 {
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::resize;

    #[test]
    fn equal_sizes_copy_without_the_padding() {
        let source = [1, 2, 3, 4, 5, 6, 99, 7, 8, 9, 10, 11, 12];
        assert_eq!(resize(&source, 7, (2, 2), (2, 2)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    }

    #[test]
    fn a_flat_picture_stays_flat_at_any_size() {
        for (from, to) in [((7, 5), (320, 1)), ((640, 3), (3, 640)), ((1, 1), (9, 9)), ((1000, 999), (1, 1))]
        {
            for value in [0, 1, 127, 254, 255] {
                let source = vec![value; from.0 * from.1 * 3];
                let out = resize(&source, from.0 * 3, from, to);
                assert_eq!(out, vec![value; to.0 * to.1 * 3], "{from:?} to {to:?} of {value}");
            }
        }
    }

    #[test]
    fn halving_weighs_four_pixels_one_three_three_one() {
        // Centre 2 of 4 pixels: distances 1.5, .5, .5, 1.5 over a support of 2 weigh 1/8, 3/8, 3/8, 1/8; the outer
        // output pixels lose their tap beyond the edge.
        let source: Vec<u8> = [0, 0, 80, 160, 240, 240].iter().flat_map(|&v| [v; 3]).collect();
        let out = resize(&source, 18, (6, 1), (3, 1));
        // 0·3/7 + 0·3/7 + 80·1/7 = 11.4; (0 + 3·80 + 3·160 + 240)/8 = 120; (160 + 3·240 + 3·240)/7 = 228.6
        assert_eq!(out, [11, 11, 11, 120, 120, 120, 229, 229, 229]);
    }
}
