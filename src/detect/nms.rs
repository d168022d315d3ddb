//! Greedy non-maximum suppression.

use std::collections::BTreeMap;

use crate::geometry::Rect;

/// Indices of the boxes that survive, highest score first, equal scores in input order: a box is dropped if
/// its IoU with a better surviving box exceeds `max_iou`. Boxes with a NaN score are dropped.
pub(crate) fn nms(boxes: &[(Rect, f32)], max_iou: f32) -> Vec<usize> {
    let mut order: Vec<(usize, &Rect, f32)> = boxes
        .iter()
        .enumerate()
        .filter(|(_, b)| !b.1.is_nan())
        .map(|(i, (rect, score))| (i, rect, *score))
        .collect();
    order.sort_by(|a, b| b.2.total_cmp(&a.2));
    let mut kept: Vec<(usize, &Rect)> = Vec::new();
    for (index, rect, _) in order {
        if kept.iter().all(|(_, better)| better.iou(rect) <= max_iou) {
            kept.push((index, rect));
        }
    }
    kept.into_iter().map(|(index, _)| index).collect()
}

/// Like [`nms`], but only boxes with the same label (the third value) suppress each other.
pub(crate) fn nms_per_label(boxes: &[(Rect, f32, usize)], max_iou: f32) -> Vec<usize> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, (_, _, label)) in boxes.iter().enumerate() {
        groups.entry(*label).or_default().push(index);
    }
    let mut kept: Vec<(usize, f32)> = Vec::new();
    for members in groups.values() {
        let group: Vec<(usize, Rect, f32)> =
            members.iter().filter_map(|&i| boxes.get(i).map(|b| (i, b.0, b.1))).collect();
        let same_label: Vec<(Rect, f32)> = group.iter().map(|&(_, rect, score)| (rect, score)).collect();
        kept.extend(nms(&same_label, max_iou).into_iter().filter_map(|i| group.get(i)).map(|g| (g.0, g.2)));
    }
    kept.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    kept.into_iter().map(|(index, _)| index).collect()
}

/// Those of the `kept` indices, best first, that overlap no better one of a rival label by an IoU above
/// `max_iou`. `rivals` says whether two labels exclude each other.
pub(crate) fn nms_across_labels(
    boxes: &[(Rect, f32, usize)],
    kept: Vec<usize>,
    max_iou: f32,
    rivals: impl Fn(usize, usize) -> bool,
) -> Vec<usize> {
    let mut better: Vec<&(Rect, f32, usize)> = Vec::new();
    let stays = |index: &usize| {
        let Some(found) = boxes.get(*index) else { return false };
        let stays = !better.iter().any(|b| rivals(b.2, found.2) && b.0.iou(&found.0) > max_iou);
        if stays {
            better.push(found);
        }
        stays
    };
    kept.into_iter().filter(stays).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A box of 10×10 pixels at `x`: two of them `d` apart have an IoU of (10 − d) / (10 + d).
    fn at(x: f32) -> Rect {
        Rect { x0: x, y0: 0.0, x1: x + 10.0, y1: 10.0 }
    }

    #[test]
    fn the_better_of_two_overlapping_boxes_stays() {
        // d = 2 gives an IoU of 2/3, d = 5 one of 1/3.
        assert_eq!(nms(&[(at(0.0), 0.4), (at(2.0), 0.9), (at(7.0), 0.5)], 0.5), [1, 2]);
        assert_eq!(nms(&[(at(0.0), 0.4), (at(2.0), 0.9), (at(7.0), 0.5)], 0.3), [1]);
        assert_eq!(nms(&[(at(0.0), 0.4), (at(2.0), 0.9), (at(7.0), 0.5)], 0.7), [1, 2, 0]);
    }

    #[test]
    fn a_suppressed_box_suppresses_nobody() {
        // The first box suppresses the middle one; the last overlaps only the middle one.
        assert_eq!(nms(&[(at(0.0), 0.9), (at(3.0), 0.8), (at(6.0), 0.7)], 0.5), [0, 2]);
    }

    #[test]
    fn an_iou_equal_to_the_limit_is_allowed() {
        assert_eq!(nms(&[(at(0.0), 0.9), (at(5.0), 0.8)], 1.0 / 3.0), [0, 1]);
    }

    #[test]
    fn equal_scores_keep_their_order_and_nan_is_left_out() {
        let far = |i: usize| at(i as f32 * 20.0);
        let scores = [0.5, f32::NAN, 0.5, 0.7, 0.5];
        let boxes: Vec<_> = scores.iter().enumerate().map(|(i, &s)| (far(i), s)).collect();
        assert_eq!(nms(&boxes, 0.5), [3, 0, 2, 4]);
        assert!(nms(&[], 0.5).is_empty());
    }

    #[test]
    fn labels_do_not_suppress_each_other() {
        let boxes = [(at(0.0), 0.6, 1), (at(0.0), 0.9, 0), (at(1.0), 0.7, 1), (at(1.0), 0.9, 2)];
        assert_eq!(nms_per_label(&boxes, 0.5), [1, 3, 2]);
        assert_eq!(nms_per_label(&boxes, 1.0), [1, 3, 2, 0]);
    }

    #[test]
    fn rival_labels_suppress_each_other_and_no_others() {
        let boxes = [(at(0.0), 0.9, 0), (at(1.0), 0.8, 1), (at(0.0), 0.7, 2), (at(9.0), 0.6, 1)];
        let across = |a: usize, b: usize| a + b == 1;
        assert_eq!(nms_across_labels(&boxes, nms_per_label(&boxes, 0.5), 0.5, across), [0, 2, 3]);
        assert_eq!(nms_across_labels(&boxes, nms_per_label(&boxes, 0.5), 0.9, across), [0, 1, 2, 3]);
    }
}
