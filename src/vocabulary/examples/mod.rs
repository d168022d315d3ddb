//! Examples of what names mean: feature vectors of boxes and pictures, with where they came from.

mod evidence;
mod prototypes;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod tests;

pub(crate) use evidence::Evidence;
#[cfg(test)]
pub(crate) use evidence::Sum;
pub(crate) use prototypes::{Prototypes, mean};

use serde::{Deserialize, Serialize};

use crate::model::{FeatureVector, SpaceId};

/// Most examples and counter-examples of one entry.
pub(crate) const MOST_OF_ENTRY: usize = 1000;
/// Most of one vocabulary.
pub(crate) const MOST_EXAMPLES: usize = 50_000;

/// Cosine from which a counter-example of a name no longer halves the probability of what an example looks like:
/// `exp(−25 · (1 − 0.972)) = ½`.
const SAME: f64 = 0.972;

/// What a name looks like, or what it must not be taken for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Example {
    /// Index of its entry.
    pub entry: usize,
    /// Whether it shows what the entry is not.
    pub counter: bool,
    /// What is there.
    pub vector: FeatureVector,
    /// Where it came from.
    pub origin: Origin,
}

/// Where an example came from. The picture itself is not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Origin {
    /// Begins the names of crops, and names the example in commands: hexadecimal digits.
    pub id: String,
    /// Name of the file, without its folder.
    pub file: String,
    /// sha256 of its contents, lower-case hexadecimal.
    pub sha256: String,
    /// The box, in pixels of the picture; `None` for the whole picture.
    #[serde(rename = "box")]
    pub rect: Option<[f32; 4]>,
    /// When it was added, such as `2026-11-30`.
    pub date: String,
}

/// All examples of a vocabulary, which are of one space.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Examples {
    /// Of all vectors.
    pub space: SpaceId,
    /// In the order in which they were added.
    pub rows: Vec<Example>,
}

impl Examples {
    /// The examples of an entry, without counter-examples.
    pub(crate) fn of(&self, entry: usize) -> impl Iterator<Item = &Example> {
        self.rows.iter().filter(move |example| example.entry == entry && !example.counter)
    }

    /// The counter-examples of an entry.
    pub(crate) fn against(&self, entry: usize) -> impl Iterator<Item = &Example> {
        self.rows.iter().filter(move |example| example.entry == entry && example.counter)
    }

    /// What `vector` looks like and contradicts as an example or counter-example of an entry: that of the other kind
    /// of the same entry; or, if it is an example, one of another entry that is `exclusive`. Both cannot hold.
    pub(crate) fn contradicted(
        &self,
        entry: usize,
        counter: bool,
        vector: &FeatureVector,
        exclusive: impl Fn(usize) -> bool,
    ) -> Option<&Example> {
        let others = self.rows.iter().filter(|other| {
            if other.entry == entry {
                other.counter != counter
            } else {
                !counter && !other.counter && exclusive(other.entry)
            }
        });
        others
            .max_by(|a, b| cosine(&a.vector, vector).total_cmp(&cosine(&b.vector, vector)))
            .filter(|nearest| cosine(&nearest.vector, vector) >= SAME)
    }

    /// Keeps those whose entries `place` gives a place, under that; `None` if none is left.
    pub(super) fn moved(&self, place: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        let moved = self.rows.iter().filter_map(|example| {
            let entry = place(example.entry)?;
            Some(Example { entry, ..example.clone() })
        });
        let rows: Vec<Example> = moved.collect();
        (!rows.is_empty()).then(|| Self { space: self.space.clone(), rows })
    }
}

/// Of vectors, whatever their lengths.
fn cosine(a: &FeatureVector, b: &FeatureVector) -> f64 {
    let sum = |x: &FeatureVector, y: &FeatureVector| {
        x.values.iter().zip(&y.values).map(|(x, y)| i64::from(*x) * i64::from(*y)).sum::<i64>() as f64
    };
    sum(a, b) / (sum(a, a) * sum(b, b)).sqrt().max(f64::MIN_POSITIVE)
}
