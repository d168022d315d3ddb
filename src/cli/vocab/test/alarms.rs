//! What names score on pictures, and the thresholds at which they keep quiet where there is nothing.

use crate::error::Result;
use crate::pipeline::{Pipeline, Thresholds};
use crate::source::Picture;
use crate::vocabulary::Vocabulary;

/// On one of so many pictures of nothing a name may be found.
const QUIET: usize = 200;
/// How far above the highest score on fewer pictures of nothing a threshold is put, as a share of what is left up to
/// 1: others score a little more.
const HEADROOM: f32 = 0.1;

/// The highest score of each name on a picture, of a box and as a tag.
pub(super) struct Scores {
    highest: Vec<(f32, f32)>,
}

impl Scores {
    /// Looks at a picture.
    ///
    /// # Errors
    /// Those of [`Pipeline::look`].
    pub(super) fn of(pipeline: &Pipeline, vocabulary: &Vocabulary, picture: &Picture) -> Result<Self> {
        let look = pipeline.look(&picture.frame()?, vocabulary)?;
        let entries = vocabulary.entries().iter().zip(&look.tags).enumerate();
        let highest = entries.map(|(label, (entry, tag))| {
            let scores = look.regions.iter().filter_map(|region| region.scores.get(label).copied());
            let boxes = scores.filter(|_| entry.has_boxes()).fold(0.0, f32::max);
            if entry.is_reported() { (boxes, *tag) } else { (0.0, 0.0) }
        });
        Ok(Self { highest: highest.collect() })
    }

    /// The highest score of a name.
    pub(super) fn of_label(&self, label: usize) -> f32 {
        self.highest.get(label).map_or(0.0, |(of_box, tag)| of_box.max(*tag))
    }

    /// Whether a name is reported.
    pub(super) fn reaches(&self, label: usize, thresholds: &Thresholds) -> bool {
        let (of_box, tag) = self.highest.get(label).copied().unwrap_or_default();
        of_box >= thresholds.of_box(label) || tag >= thresholds.of_tag(label)
    }

    /// The name with the highest score.
    pub(super) fn best(&self) -> Option<usize> {
        let all = (0..self.highest.len()).map(|label| (label, self.of_label(label)));
        all.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, score)| *score > 0.0).map(|(label, _)| label)
    }
}

/// The threshold that a name passes on one of [`QUIET`] pictures at most, by its scores on pictures of nothing. Another
/// such picture exceeds the r-th highest of n with probability r / (n + 1).
pub(super) fn proposed(mut scores: Vec<f32>) -> Option<f32> {
    scores.sort_by(|a, b| b.total_cmp(a));
    let rank = ((scores.len() + 1) / QUIET).max(1);
    let highest = *scores.get(rank - 1)?;
    let threshold =
        if scores.len() + 1 < QUIET { highest + HEADROOM * (1.0 - highest) } else { highest.next_up() };
    Some(threshold.clamp(0.01, 1.0))
}

#[cfg(test)]
mod tests {
    use super::proposed;

    #[test]
    fn a_threshold_lies_above_all_but_one_of_two_hundred() {
        assert_eq!(proposed(vec![]), None);
        assert!((proposed(vec![0.1, 0.5, 0.2]).unwrap() - 0.55).abs() < 1e-6);
        let mut scores = vec![0.1; 397];
        scores.push(0.9);
        assert_eq!(proposed(scores.clone()), Some(0.9f32.next_up()), "above the first of 398");
        scores.push(0.2);
        assert_eq!(proposed(scores), Some(0.2f32.next_up()), "above the second of 399");
        assert_eq!(proposed(vec![1.0; 200]), Some(1.0));
        assert_eq!(proposed(vec![0.0; 3]), Some(0.1));
    }
}
