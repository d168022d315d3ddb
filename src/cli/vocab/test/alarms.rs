//! What names score on pictures, and the thresholds at which they keep quiet where there is nothing.

use crate::error::Result;
use crate::pipeline::Pipeline;
use crate::source::Picture;
use crate::vocabulary::Vocabulary;

/// On one of so many pictures of nothing a name may be found.
const QUIET: usize = 200;
/// How far above the highest score on pictures of nothing a threshold is put, as a share of what is left up to 1:
/// other pictures of nothing score a little more.
const HEADROOM: f32 = 0.1;

/// The highest score of each name on a picture: of a box, or as a tag.
pub(super) struct Scores {
    highest: Vec<f32>,
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
            if entry.is_reported() { boxes.max(*tag) } else { 0.0 }
        });
        Ok(Self { highest: highest.collect() })
    }

    /// The highest score of a name.
    pub(super) fn of_label(&self, label: usize) -> f32 {
        self.highest.get(label).copied().unwrap_or_default()
    }

    /// Whether a name is reported.
    pub(super) fn reaches(&self, label: usize, lowest: &[f32]) -> bool {
        lowest.get(label).is_some_and(|lowest| self.of_label(label) >= *lowest)
    }

    /// The name with the highest score.
    pub(super) fn best(&self) -> Option<usize> {
        let all = self.highest.iter().enumerate();
        all.max_by(|a, b| a.1.total_cmp(b.1)).filter(|(_, score)| **score > 0.0).map(|(label, _)| label)
    }
}

/// The threshold that a name passes on one of [`QUIET`] pictures at most, by its scores on pictures of nothing.
pub(super) fn proposed(mut scores: Vec<f32>) -> Option<f32> {
    scores.sort_by(|a, b| b.total_cmp(a));
    let highest = *scores.get(scores.len() / QUIET)?;
    Some((highest + HEADROOM * (1.0 - highest)).clamp(0.01, 1.0))
}

#[cfg(test)]
mod tests {
    use super::proposed;

    #[test]
    fn a_threshold_lies_above_all_but_one_of_two_hundred() {
        assert_eq!(proposed(vec![]), None);
        assert!((proposed(vec![0.1, 0.5, 0.2]).unwrap() - 0.55).abs() < 1e-6);
        let mut scores = vec![0.1; 199];
        assert!((proposed(scores.clone()).unwrap() - 0.19).abs() < 1e-6);
        scores.push(0.9);
        assert!((proposed(scores).unwrap() - 0.19).abs() < 1e-6);
        assert_eq!(proposed(vec![0.0; 3]), Some(0.1));
    }
}
