//! One thing, one box: boxes of a thing's parts, and of a group around it, are believed less than its own.
//!
//! Intersection over union does not see them: half a cat has one of 0.5 with the whole cat, its head one of 0.1.
//! Nor may they simply go, since what lies in another box of the same name may well be a neighbour in front of it.
//! Of nested boxes with a score above 0.1, one in eleven is right on the pictures set aside, of others one in five; so
//! they keep a part of their probability, and a neighbour that is certain is still reported.

use crate::geometry::Rect;

/// Share of the smaller box inside the larger from which two boxes are nested.
const INSIDE: f32 = 0.7;
/// A box of less than this share of the other's area is a thing of its own: somebody far behind somebody near.
const SMALLEST: f32 = 0.1;
/// What is left of the probability.
const LEFT: f32 = 0.4;

/// Multiplies with 0.4 the probability of each label for each box that is nested with one that scores better for
/// that label and is more of an object. `rects` are in order of falling objectness; `scores` has a row of labels
/// for each, and so has `strongest`: the highest score among labels of which one object has but one.
pub(crate) fn discount_parts(rects: &[Rect], scores: &mut [Vec<f32>], strongest: &[Vec<f32>]) {
    discount(rects, scores, strongest, |_, _| true);
}

/// The same among boxes of several looks at one picture, each discounted already: only between boxes of different
/// `looks`.
pub(crate) fn discount_across(
    rects: &[Rect],
    looks: &[usize],
    scores: &mut [Vec<f32>],
    strongest: &[Vec<f32>],
) {
    discount(rects, scores, strongest, |a, b| looks.get(a) != looks.get(b));
}

fn discount(
    rects: &[Rect],
    scores: &mut [Vec<f32>],
    strongest: &[Vec<f32>],
    concern: impl Fn(usize, usize) -> bool,
) {
    for (index, (rect, scores)) in rects.iter().zip(scores).enumerate() {
        let mut behind = vec![false; scores.len()];
        let before = rects.iter().zip(strongest).take(index).enumerate();
        let before = before.filter(|(other, _)| concern(index, *other)).map(|(_, other)| other);
        for (_, strongest) in before.filter(|(other, _)| are_nested(rect, other)) {
            for ((behind, strongest), score) in behind.iter_mut().zip(strongest).zip(&*scores) {
                *behind |= strongest > score;
            }
        }
        for (score, _) in scores.iter_mut().zip(behind).filter(|(_, behind)| *behind) {
            *score *= LEFT;
        }
    }
}

fn are_nested(a: &Rect, b: &Rect) -> bool {
    let (smaller, larger) = (a.area().min(b.area()), a.area().max(b.area()));
    let common = a.intersection(b).map_or(0.0, |common| common.area());
    common > INSIDE * smaller && smaller >= SMALLEST * larger
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Rect = Rect { x0: 0.0, y0: 0.0, x1: 100.0, y1: 100.0 };
    const HALF: Rect = Rect { x0: 50.0, y0: 0.0, x1: 120.0, y1: 100.0 };

    #[test]
    fn across_looks_what_one_look_has_discounted_stays() {
        let scores = [vec![0.9, 0.1], vec![0.5, 0.8]];
        let across = |looks: [usize; 2]| {
            let mut rows = scores.to_vec();
            discount_across(&[WHOLE, HALF], &looks, &mut rows, &scores);
            rows
        };
        assert_eq!(across([0, 0]), scores);
        assert_eq!(across([0, 3]), [[0.9, 0.1], [0.5 * 0.4, 0.8]]);
    }

    fn discounted(rects: &[Rect], scores: &[[f32; 2]]) -> Vec<Vec<f32>> {
        let mut rows: Vec<Vec<f32>> = scores.iter().map(|row| row.to_vec()).collect();
        let strongest = rows.clone();
        discount_parts(rects, &mut rows, &strongest);
        rows
    }

    #[test]
    fn a_part_keeps_less_of_the_names_that_the_whole_has_better() {
        // 5/7 of the half lie in the whole.
        let found = discounted(&[WHOLE, HALF], &[[0.9, 0.1], [0.5, 0.8]]);
        assert_eq!(found, [[0.9, 0.1], [0.5 * 0.4, 0.8]]);
        let outer = Rect { x1: 75.0, ..WHOLE };
        let found = discounted(&[outer, WHOLE], &[[0.9, 0.1], [0.5, 0.8]]);
        assert_eq!(found, [[0.9, 0.1], [0.5 * 0.4, 0.8]], "a group around a thing, likewise");
    }

    #[test]
    fn neighbours_small_things_and_what_is_more_of_an_object_keep_all() {
        let scores = [[0.9, 0.2], [0.5, 0.1]];
        let beside = Rect { x0: 60.0, x1: 130.0, ..WHOLE };
        let small = Rect { x0: 10.0, y0: 10.0, x1: 41.0, y1: 41.0 };
        for other in [beside, small] {
            assert_eq!(discounted(&[WHOLE, other], &scores), scores, "{other:?}");
        }
        // The better one is less of an object.
        assert_eq!(discounted(&[HALF, WHOLE], &[[0.5, 0.1], [0.9, 0.2]]), [[0.5, 0.1], [0.9, 0.2]]);
        // 10 of 100 in each direction is a part.
        let part = Rect { x0: 10.0, y0: 10.0, x1: 42.0, y1: 42.0 };
        assert_eq!(discounted(&[WHOLE, part], &scores), [[0.9, 0.2], [0.5 * 0.4, 0.1 * 0.4]]);
    }

    #[test]
    fn a_synonym_that_the_whole_has_better_counts() {
        let mut scores = vec![vec![0.3, 0.8], vec![0.5, 0.1]];
        discount_parts(&[WHOLE, HALF], &mut scores, &[vec![0.8, 0.8], vec![0.5, 0.5]]);
        assert_eq!(scores, [[0.3, 0.8], [0.5 * 0.4, 0.1 * 0.4]]);
    }
}
