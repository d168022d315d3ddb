//! The examples of each entry, packed for products with the vectors of many regions.

use std::borrow::Borrow;
use std::collections::HashSet;

use super::Examples;
use crate::model::{FeatureSpace, FeatureVector};
use crate::vocabulary::embeddings::Embeddings;
use edgeclip_kernels::product::Product;

/// Least mean squared distance of two prototypes: that of pictures that are the same but for noise.
const LEAST_SPREAD: f32 = 1e-3;

/// A prototype for each entry that has examples, and every row that counter-examples are compared with.
#[derive(Debug)]
pub(crate) struct Prototypes {
    /// Number of examples of each entry.
    pub(super) counts: Vec<usize>,
    /// How far the words of each entry agree with its examples, −1 to 1; `None` for one without words.
    pub(super) agreements: Vec<Option<f64>>,
    /// What each entry's examples are compared by; zeros for an entry without any.
    pub(super) compared: Product,
    /// Counter-examples, and the examples of the entries that have such.
    pub(super) contested: Product,
    /// Entry of each row of `contested`, and whether it is a counter-example.
    pub(super) sides: Vec<(usize, bool)>,
    /// Means of the entries' examples as states are compared by, and their mean squared distance to each other, if each
    /// entry has one and there are two.
    pub(super) means: Option<(Product, f32)>,
}

/// Made from examples that are compared in its place.
impl PartialEq for Prototypes {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Prototypes {
    /// Those of entries with these words in `space`; a row of zeros is an entry without.
    pub(crate) fn of(examples: &Examples, words: &Embeddings, space: &FeatureSpace) -> Self {
        let entries = words.len();
        let nothing = FeatureVector { values: vec![0; space.values()], scale: 1.0 };
        let counts: Vec<usize> = (0..entries).map(|entry| examples.of(entry).count()).collect();
        let middle = |entry| mean(examples.of(entry).map(|example| &example.vector));
        let means: Vec<Option<FeatureVector>> = (0..entries).map(middle).collect();
        let accused: HashSet<usize> =
            examples.rows.iter().filter(|row| row.counter).map(|row| row.entry).collect();
        let contested = examples.rows.iter().filter(|row| accused.contains(&row.entry));
        let (sides, rows): (Vec<_>, Vec<_>) =
            contested.map(|row| ((row.entry, row.counter), row.vector.clone())).unzip();
        let agreements = means.iter().zip(words.rows()).map(|(mean, words)| {
            let has_words = words.iter().any(|value| *value != 0.0);
            has_words.then(|| mean.as_ref().map_or(0.0, |mean| agreement(mean, words)))
        });
        let agreements = agreements.collect();
        let compared = (0..entries).map(|entry| {
            let of = prototype(space, examples.of(entry).map(|example| &example.vector));
            of.unwrap_or_else(|| nothing.clone())
        });
        let (compared, contested) = (space.table(&compared.collect::<Vec<_>>()), space.table(&rows));
        let state = |entry| mean(examples.of(entry).map(|example| space.of_state(&example.vector)));
        let means = (0..entries).map(state).collect::<Option<Vec<_>>>();
        let means = means.and_then(|means| Some((space.table(&means), spread(&means)?)));
        Self { counts, agreements, compared, contested, sides, means }
    }
}

/// What examples are compared by; `None` if there are none, or they cancel.
pub(super) fn prototype<'a>(
    space: &FeatureSpace,
    vectors: impl Iterator<Item = &'a FeatureVector>,
) -> Option<FeatureVector> {
    let vectors: Vec<&FeatureVector> = vectors.collect();
    space.prototype(&sum(vectors.iter().copied()), vectors.len())
}

/// The mean of unit vectors, of unit length again; `None` if there are none, or they cancel.
pub(crate) fn mean<V: Borrow<FeatureVector>>(vectors: impl Iterator<Item = V>) -> Option<FeatureVector> {
    FeatureVector::quantised(&sum(vectors).into_iter().map(|value| value as f32).collect::<Vec<f32>>())
}

fn sum<V: Borrow<FeatureVector>>(vectors: impl Iterator<Item = V>) -> Vec<f64> {
    let mut sum: Vec<f64> = Vec::new();
    for vector in vectors {
        let vector = vector.borrow();
        sum.resize(vector.values.len(), 0.0);
        for (sum, value) in sum.iter_mut().zip(&vector.values) {
            *sum += f64::from(f32::from(*value) * vector.scale);
        }
    }
    sum
}

/// The cosine of words with the part of a prototype that says what its embedding is like.
pub(super) fn agreement(mean: &FeatureVector, words: &[f32]) -> f64 {
    let joint = mean.values.get(mean.values.len().saturating_sub(words.len())..).unwrap_or_default();
    let products = joint.iter().zip(words).map(|(q, t)| f64::from(*q) * f64::from(*t));
    let length = joint.iter().map(|q| f64::from(*q) * f64::from(*q)).sum::<f64>().sqrt();
    if length > 0.0 { products.sum::<f64>() / length } else { 0.0 }
}

fn spread(means: &[FeatureVector]) -> Option<f32> {
    let (mut sum, mut pairs) = (0.0, 0u32);
    for (i, a) in means.iter().enumerate() {
        for b in means.iter().skip(i + 1) {
            sum += 2.0 - 2.0 * a.cosine(b);
            pairs += 1;
        }
    }
    (pairs > 0).then(|| (sum / pairs as f32).max(LEAST_SPREAD))
}
