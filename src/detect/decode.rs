//! Anchor-free box decoding with distance bins (Generalized Focal Loss, Li et al. 2020, arXiv 2006.04388).

use super::Candidate;
use crate::geometry::Rect;
use crate::model::{Cell, Level};

/// The boxes of one level, the one `at` this place, whose objectness is at least `min_logit`: in row order, in input
/// pixels, not clipped.
///
/// The centre of cell (x, y) is `((x + ½)·s, (y + ½)·s)`. The distance to each side is `s · Σ k ·
/// softmax(bins)[k]`. Cells whose objectness or distances are not finite are skipped; a level whose data is
/// too short gives no boxes.
pub(crate) fn decode(at: usize, level: &Level, min_logit: f32) -> Vec<Candidate> {
    let cells = level.width * level.height;
    if level.bins == 0 || cells == 0 || level.data.len() < cells * (1 + 4 * level.bins) {
        return Vec::new();
    }
    let (objectness, distances) = level.data.split_at(cells);
    let stride = level.stride as f32;
    let decode_cell = |(cell, &objectness): (usize, &f32)| {
        if !objectness.is_finite() || objectness < min_logit {
            return None;
        }
        let side = |side: usize| {
            let first = side * level.bins * cells + cell;
            stride * expectation(distances.iter().skip(first).step_by(cells).take(level.bins).copied())
        };
        let x = ((cell % level.width) as f32 + 0.5) * stride;
        let y = ((cell / level.width) as f32 + 0.5) * stride;
        let rect = Rect { x0: x - side(0), y0: y - side(1), x1: x + side(2), y1: y + side(3) };
        let finite = [rect.x0, rect.y0, rect.x1, rect.y1].iter().all(|v| v.is_finite());
        finite.then_some(Candidate { rect, objectness, cell: Cell { level: at, index: cell } })
    };
    objectness.iter().enumerate().filter_map(decode_cell).collect()
}

/// `Σ k · softmax(logits)[k]`. The largest logit is subtracted first so that no exponential overflows; NaN if
/// any logit is NaN or +∞.
fn expectation(logits: impl Iterator<Item = f32> + Clone) -> f32 {
    let max = logits.clone().fold(f32::NEG_INFINITY, f32::max);
    let (mut total, mut weighted) = (0.0, 0.0);
    for (k, logit) in logits.enumerate() {
        let e = (logit - max).exp();
        total += e;
        weighted += k as f32 * e;
    }
    weighted / total
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A level with a single cell: objectness, then the bins of left, top, right, bottom.
    fn one_cell(objectness: f32, bins: [[f32; 3]; 4]) -> Level {
        let mut data = vec![objectness];
        data.extend(bins.iter().flatten());
        Level { stride: 16, width: 1, height: 1, bins: 3, data }
    }

    #[test]
    fn one_hot_bins_give_whole_strides_and_even_bins_their_mean() {
        let (zero, one, two) = ([80.0, 0.0, 0.0], [0.0, 80.0, 0.0], [0.0, 0.0, 80.0]);
        let found = decode(0, &one_cell(1.5, [zero, one, two, [5.0; 3]]), 0.0);
        let rect = Rect { x0: 8.0, y0: -8.0, x1: 40.0, y1: 24.0 };
        assert_eq!(found, [Candidate { rect, objectness: 1.5, cell: Cell { level: 0, index: 0 } }]);
    }

    #[test]
    fn an_uneven_softmax_is_weighted() {
        // e^0 : e^ln3 : e^ln4 = 1 : 3 : 4, so (3·1 + 4·2) / 8 = 1.375 strides.
        let bins = [0.0, 3f32.ln(), 4f32.ln()];
        let found = decode(0, &one_cell(0.0, [bins; 4]), 0.0);
        assert!((found[0].rect.x1 - (8.0 + 16.0 * 1.375)).abs() < 1e-4);
        assert!((found[0].rect.x0 - (8.0 - 16.0 * 1.375)).abs() < 1e-4);
    }

    #[test]
    fn cells_are_placed_by_row_and_channels_by_plane() {
        let (width, height, bins) = (3, 2, 2);
        let mut data = vec![-9.0; 6];
        data[4] = 1.0;
        // Channel by channel: bin 0 of the left side is certain; every other side is half a stride.
        data.extend(vec![90.0; 6]);
        data.extend(vec![0.0; 7 * 6]);
        let found = decode(0, &Level { stride: 8, width, height, bins, data }, 0.0);
        let rect = Rect { x0: 12.0, y0: 8.0, x1: 16.0, y1: 16.0 };
        assert_eq!(found, [Candidate { rect, objectness: 1.0, cell: Cell { level: 0, index: 4 } }]);
    }

    #[test]
    fn huge_logits_do_not_overflow() {
        let found = decode(0, &one_cell(0.0, [[-1e30, 1e30, 1e30]; 4]), 0.0);
        assert_eq!(found[0].rect.x1, 8.0 + 16.0 * 1.5);
    }

    #[test]
    fn cells_that_are_not_finite_are_skipped() {
        let bins = [[0.0; 3]; 4];
        for objectness in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(decode(0, &one_cell(objectness, bins), f32::NEG_INFINITY).is_empty());
        }
        for bad in [f32::NAN, f32::INFINITY] {
            for side in 0..4 {
                let mut bins = bins;
                bins[side][1] = bad;
                assert!(decode(0, &one_cell(1.0, bins), 0.0).is_empty());
            }
        }
        assert!(decode(0, &one_cell(1.0, [[f32::NEG_INFINITY; 3]; 4]), 0.0).is_empty());
    }

    #[test]
    fn a_level_with_too_little_data_is_empty() {
        let mut level = one_cell(1.0, [[0.0; 3]; 4]);
        level.data.pop();
        assert!(decode(0, &level, 0.0).is_empty());
        assert!(decode(0, &Level { stride: 8, width: 0, height: 0, bins: 3, data: vec![] }, 0.0).is_empty());
    }
}
