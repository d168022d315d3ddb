//! Each example compared with the others as if it were new.

use crate::model::{FeatureSpace, FeatureVector, cosines};
use crate::vocabulary::{Kind, Vocabulary, mean};

/// How many examples of a name were told from all other names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// Examples.
    pub examples: usize,
    /// Those that are nearest to their own.
    pub right: usize,
    /// The name that most of the others are nearest to.
    pub confused: Option<usize>,
}

/// The outcome of each name that has two examples at least.
pub(super) fn leave_one_out(vocabulary: &Vocabulary, space: Option<&FeatureSpace>) -> Vec<Option<Outcome>> {
    let Some((examples, space)) = vocabulary.examples().zip(space) else {
        return (0..vocabulary.len()).map(|_| None).collect();
    };
    let rows = |label: usize| examples.of(label).map(|example| &example.vector).collect::<Vec<_>>();
    let all: Vec<Vec<&FeatureVector>> = (0..vocabulary.len()).map(rows).collect();
    let means: Vec<(usize, FeatureVector)> = all
        .iter()
        .enumerate()
        .filter_map(|(label, rows)| Some((label, mean(rows.iter().copied())?)))
        .collect();
    let table = space.table(&means.iter().map(|(_, mean)| mean.clone()).collect::<Vec<_>>());
    let is_state =
        |label: usize| vocabulary.entries().get(label).is_some_and(|entry| entry.kind == Kind::State);
    let outcome = |(label, rows): (usize, &Vec<&FeatureVector>)| {
        if rows.len() < 2 {
            return None;
        }
        let mut outcome = Outcome { examples: rows.len(), ..Outcome::default() };
        let mut others = vec![0; vocabulary.len()];
        let cosines = cosines(&table, rows);
        for (index, (row, cosines)) in rows.iter().zip(cosines.chunks_exact(means.len().max(1))).enumerate() {
            let rest = rows.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, row)| *row);
            let own = mean(rest).map_or(-1.0, |mean| row.cosine(&mean));
            let near = means.iter().zip(cosines).filter(|((other, _), cosine)| {
                *other != label && is_state(*other) == is_state(label) && **cosine > own
            });
            match near.max_by(|a, b| a.1.total_cmp(b.1)) {
                None => outcome.right += 1,
                Some(((other, _), _)) => others.iter_mut().skip(*other).take(1).for_each(|count| *count += 1),
            }
        }
        let most = others.iter().enumerate().max_by_key(|(_, count)| **count);
        outcome.confused = most.filter(|(_, count)| **count > 0).map(|(label, _)| label);
        Some(outcome)
    };
    all.iter().enumerate().map(outcome).collect()
}
