//! From which scores on names are reported.

use std::sync::Arc;

use crate::model::ScoreSettings;
use crate::vocabulary::{Entry, Vocabulary};

/// Lowest scores for all labels, as the user asks for them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct AskedScores {
    /// Of boxes and tags.
    pub all: Option<f32>,
    /// Of tags, in place of `all`.
    pub tags: Option<f32>,
}

/// Lowest scores worth a report, one per label; infinite for what is not reported.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Thresholds {
    boxes: Vec<f32>,
    tags: Vec<f32>,
}

impl Thresholds {
    /// Those that the user asks for, for all labels or, by name, for its `own`; else the label's of the vocabulary,
    /// else the model's.
    pub(crate) fn new(
        vocabulary: &Vocabulary,
        model: &ScoreSettings,
        asked: AskedScores,
        own: impl Fn(&str) -> Option<f32>,
    ) -> Self {
        let of = |asked: Option<f32>, model: f32| {
            let lowest = |(name, entry): (&Arc<str>, &Entry)| {
                let lowest = asked.or_else(|| own(name)).or(entry.threshold).unwrap_or(model);
                if entry.is_reported() { lowest } else { f32::INFINITY }
            };
            vocabulary.names().iter().zip(vocabulary.entries()).map(lowest).collect()
        };
        let tags = model.tag_threshold.unwrap_or(model.threshold);
        Self { boxes: of(asked.all, model.threshold), tags: of(asked.tags.or(asked.all), tags) }
    }

    /// Sets that of boxes and tags with this label, if it is reported.
    pub(crate) fn set(&mut self, label: usize, lowest: f32) {
        let scores = [self.boxes.get_mut(label), self.tags.get_mut(label)].into_iter().flatten();
        scores.filter(|score| score.is_finite()).for_each(|score| *score = lowest);
    }

    /// Of boxes with this label.
    pub(crate) fn of_box(&self, label: usize) -> f32 {
        self.boxes.get(label).copied().unwrap_or(f32::INFINITY)
    }

    /// Of this label as a tag.
    pub(crate) fn of_tag(&self, label: usize) -> f32 {
        self.tags.get(label).copied().unwrap_or(f32::INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ImageScore, RegionScore};
    use crate::vocabulary::plain_vocabulary;

    #[test]
    fn what_is_asked_comes_before_the_labels_own_and_that_before_the_models() {
        let mut words =
            plain_vocabulary(&[("cat", [1.0, 0.0]), ("dog", [0.0, 1.0]), ("statue", [0.6, 0.8])], &[]);
        words.set_threshold("dog", 0.6).unwrap();
        words.set_use(2, None, Some(true));
        let region = RegionScore { scale: 1.0, weights: [0.0; 3] };
        let image = ImageScore { scale: 1.0, weights: [0.0; 2] };
        let model =
            ScoreSettings { threshold: 0.2, tag_threshold: Some(0.4), max_similarity: 0.8, region, image };
        let found = |asked, own: Option<f32>| {
            let all = Thresholds::new(&words, &model, asked, |name| own.filter(|_| name == "cat"));
            assert_eq!(
                (all.of_box(2), all.of_tag(2), all.of_box(3)),
                (f32::INFINITY, f32::INFINITY, f32::INFINITY)
            );
            [all.of_box(0), all.of_box(1), all.of_tag(0), all.of_tag(1)]
        };
        assert_eq!(found(AskedScores::default(), None), [0.2, 0.6, 0.4, 0.6]);
        assert_eq!(found(AskedScores::default(), Some(0.7)), [0.7, 0.6, 0.7, 0.6]);
        assert_eq!(found(AskedScores { all: Some(0.1), tags: None }, Some(0.7)), [0.1; 4]);
        assert_eq!(found(AskedScores { all: Some(0.1), tags: Some(0.3) }, None), [0.1, 0.1, 0.3, 0.3]);
        assert_eq!(found(AskedScores { all: None, tags: Some(0.3) }, None), [0.2, 0.6, 0.3, 0.3]);
        let model = ScoreSettings { tag_threshold: None, ..model };
        let mut all = Thresholds::new(&words, &model, AskedScores::default(), |_| None);
        assert_eq!(all.of_tag(0), 0.2);
        [0, 2, 3].into_iter().for_each(|label| all.set(label, 0.9));
        assert_eq!(
            [all.of_box(0), all.of_tag(0), all.of_box(1), all.of_box(2)],
            [0.9, 0.9, 0.6, f32::INFINITY]
        );
    }
}
