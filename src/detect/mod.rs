//! From the vision network's output to candidate boxes.
//!
//! Candidates have no name yet: they say where an object is, not what it is.

mod decode;
mod nms;
mod parts;

pub(crate) use decode::decode;
pub(crate) use nms::{nms, nms_across_labels, nms_per_label};
pub(crate) use parts::{discount_across, discount_parts};

use crate::geometry::Rect;
use crate::model::{Cell, DetectionSettings, VisionOutput};

/// Maximum number of boxes that enter class-agnostic NMS, which takes quadratic time.
const MAX_BEFORE_NMS: usize = 1000;

/// A box that contains an object of any kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    /// The box, in pixels of the network input.
    pub rect: Rect,
    /// Objectness logit; its sigmoid is the probability that the box holds an object. Never NaN.
    pub objectness: f32,
    /// Where the network proposes it.
    pub cell: Cell,
}

/// The candidates of one picture, highest objectness first: at most `settings.max_candidates`, each clipped
/// to `content` (the picture's area in input pixels) and of positive area, with no pairwise IoU above
/// `settings.candidate_iou`.
pub(crate) fn candidates(out: &VisionOutput, settings: &DetectionSettings, content: Rect) -> Vec<Candidate> {
    let min_logit = logit(settings.min_objectness);
    let mut found: Vec<Candidate> = out
        .levels
        .iter()
        .enumerate()
        .flat_map(|(index, level)| decode(index, level, min_logit))
        .filter_map(|c| Some(Candidate { rect: c.rect.intersection(&content)?, ..c }))
        .collect();
    found.sort_by(|a, b| b.objectness.total_cmp(&a.objectness));
    found.truncate(MAX_BEFORE_NMS);
    let boxes: Vec<(Rect, f32)> = found.iter().map(|c| (c.rect, c.objectness)).collect();
    let kept = nms(&boxes, settings.candidate_iou);
    kept.into_iter().take(settings.max_candidates).filter_map(|i| found.get(i).copied()).collect()
}

/// `ln(p / (1 − p))`; infinite at 0 and 1.
fn logit(probability: f32) -> f32 {
    (probability / (1.0 - probability)).ln()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{FeatureMap, Level};

    /// One level of 1×`width` cells, stride 8, 2 bins, with every distance half a stride.
    fn output(objectness: &[f32]) -> VisionOutput {
        let width = objectness.len();
        let mut data = objectness.to_vec();
        data.resize(width * 9, 0.0);
        let levels = vec![Level { stride: 8, width, height: 1, bins: 2, data }];
        let dense = FeatureMap { channels: 0, width: 0, height: 0, data: vec![] };
        VisionOutput { image: vec![], levels, maps: BTreeMap::new(), dense }
    }

    fn settings() -> DetectionSettings {
        DetectionSettings {
            strides: vec![8],
            bins: 2,
            max_candidates: 2,
            min_objectness: 0.5,
            candidate_iou: 0.65,
            label_iou: 0.5,
        }
    }

    #[test]
    fn best_candidates_come_first_and_the_weak_are_dropped() {
        let content = Rect { x0: 0.0, y0: 0.0, x1: 40.0, y1: 8.0 };
        let found = candidates(&output(&[1.0, 3.0, -0.1, 2.0, f32::NAN]), &settings(), content);
        let expected = [
            Candidate {
                rect: Rect { x0: 8.0, y0: 0.0, x1: 16.0, y1: 8.0 },
                objectness: 3.0,
                cell: Cell { level: 0, index: 1 },
            },
            Candidate {
                rect: Rect { x0: 24.0, y0: 0.0, x1: 32.0, y1: 8.0 },
                objectness: 2.0,
                cell: Cell { level: 0, index: 3 },
            },
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn candidates_stay_inside_the_content() {
        let content = Rect { x0: 12.0, y0: 2.0, x1: 30.0, y1: 6.0 };
        let found = candidates(&output(&[9.0, 3.0, -1.0, 2.0, -1.0]), &settings(), content);
        let rects: Vec<Rect> = found.iter().map(|c| c.rect).collect();
        let inside = |x0, x1| Rect { x0, y0: 2.0, x1, y1: 6.0 };
        assert_eq!(rects, [inside(12.0, 16.0), inside(24.0, 30.0)]);
    }

    #[test]
    fn overlapping_candidates_are_merged_whatever_their_label() {
        let mut out = output(&[2.0]);
        let twin = out.levels[0].clone();
        out.levels.push(Level { data: twin.data.iter().map(|v| v * 2.0).collect(), ..twin });
        let content = Rect { x0: 0.0, y0: 0.0, x1: 8.0, y1: 8.0 };
        let found = candidates(&out, &settings(), content);
        assert_eq!(found.iter().map(|c| c.objectness).collect::<Vec<_>>(), [4.0]);
        assert_eq!(found.iter().map(|c| c.cell).collect::<Vec<_>>(), [Cell { level: 1, index: 0 }]);
    }

    #[test]
    fn the_best_of_very_many_cells_are_kept() {
        let rising: Vec<f32> = (0..2 * MAX_BEFORE_NMS).map(|i| i as f32).collect();
        let content = Rect { x0: 0.0, y0: 0.0, x1: 1e6, y1: 8.0 };
        let found = candidates(&output(&rising), &settings(), content);
        assert_eq!(found.iter().map(|c| c.objectness).collect::<Vec<_>>(), [1999.0, 1998.0]);
    }

    #[test]
    fn a_minimum_of_zero_keeps_every_number() {
        let all = DetectionSettings { min_objectness: 0.0, max_candidates: 9, ..settings() };
        let content = Rect { x0: 0.0, y0: 0.0, x1: 24.0, y1: 8.0 };
        assert_eq!(candidates(&output(&[-80.0, f32::NAN, 0.0]), &all, content).len(), 2);
    }
}
