//! Each example told from all names as if it were new.

use crate::model::{FeatureSpace, FeatureVector, ScoreSettings, cosines};
use crate::vocabulary::{Example, Kind, Vocabulary, mean};
use edgeclip_kernels::product::Product;

/// How many examples of a name were told from all other names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// Examples.
    pub examples: usize,
    /// Those that their own name scores highest on, by its words and its other examples together.
    pub right: usize,
    /// Those that are nearest to the mean of its other examples.
    pub right_by_examples: usize,
    /// The name that most of the others are taken for.
    pub confused: Option<usize>,
}

/// The outcome of each name that has two examples at least, or one beside words. States are told by examples alone, from
/// each other, as zones do it.
pub(super) fn leave_one_out(
    vocabulary: &Vocabulary,
    space: Option<&FeatureSpace>,
    score: &ScoreSettings,
) -> Vec<Option<Outcome>> {
    let Some((examples, space)) = vocabulary.examples().zip(space) else {
        return (0..vocabulary.len()).map(|_| None).collect();
    };
    let others = Means::of(vocabulary, space);
    let outcome = |label: usize| {
        let own = examples.rows.iter().enumerate().filter(|(_, row)| row.entry == label && !row.counter);
        let own: Vec<(usize, &Example)> = own.collect();
        let has_words = vocabulary.prompts_of(label).next().is_some() && !is_state(vocabulary, label);
        if own.is_empty() || own.len() < 2 && !has_words {
            return None;
        }
        let mut outcome = Outcome { examples: own.len(), ..Outcome::default() };
        let mut taken = vec![0usize; vocabulary.len()];
        for (index, example) in &own {
            let rest = own.iter().filter(|(other, _)| other != index).map(|(_, row)| &row.vector);
            let by_examples = others.nearest(vocabulary, label, &example.vector, mean(rest));
            let both = if is_state(vocabulary, label) {
                by_examples
            } else {
                vocabulary.scores_without(*index, space, score).and_then(|scores| highest(&scores, label))
            };
            outcome.right += usize::from(both == Some(label));
            outcome.right_by_examples += usize::from(by_examples == Some(label));
            both.and_then(|both| taken.get_mut(both)).into_iter().for_each(|count| *count += 1);
        }
        let wrong = taken.iter().enumerate().filter(|(other, count)| *other != label && **count > 0);
        outcome.confused = wrong.max_by_key(|(_, count)| **count).map(|(other, _)| other);
        Some(outcome)
    };
    (0..vocabulary.len()).map(outcome).collect()
}

fn is_state(vocabulary: &Vocabulary, label: usize) -> bool {
    vocabulary.entries().get(label).is_some_and(|entry| entry.kind == Kind::State)
}

/// The label with the highest score; `own` if others have no more.
fn highest(scores: &[f32], own: usize) -> Option<usize> {
    let all = scores.iter().copied().enumerate();
    let all = all.chain(scores.get(own).map(|score| (own, *score))).filter(|(_, score)| *score > 0.0);
    all.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(label, _)| label)
}

/// The mean of the examples of each name that has any.
struct Means {
    labels: Vec<usize>,
    table: Product,
}

impl Means {
    fn of(vocabulary: &Vocabulary, space: &FeatureSpace) -> Self {
        let mean = |label: usize| mean(vocabulary.examples()?.of(label).map(|example| &example.vector));
        let means = (0..vocabulary.len()).filter_map(|label| Some((label, mean(label)?)));
        let (labels, means): (Vec<usize>, Vec<FeatureVector>) = means.unzip();
        Self { labels, table: space.table(&means) }
    }

    /// The name whose mean is nearest to `vector`, among those that are told from `label`, whose own is `mean`.
    fn nearest(
        &self,
        vocabulary: &Vocabulary,
        label: usize,
        vector: &FeatureVector,
        mean: Option<FeatureVector>,
    ) -> Option<usize> {
        let own = mean.map(|mean| (label, vector.cosine(&mean)));
        let cosines = cosines(&self.table, &[vector]);
        let others = self.labels.iter().copied().zip(cosines).filter(|(other, _)| {
            *other != label && is_state(vocabulary, *other) == is_state(vocabulary, label)
        });
        // The last of equals is taken.
        others.chain(own).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(label, _)| label)
    }
}
