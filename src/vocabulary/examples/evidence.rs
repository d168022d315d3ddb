//! What examples say of a region or picture, beside what words say.
//!
//! An entry's evidence is `e = scale · cos(f, p) − z`, where `f` is the region's feature vector, `p` the mean of
//! the entry's examples and `z = ln mean_n exp(scale · cos(f, bank_n))`: how much likelier the region looks like
//! the examples than like everyday things. Counter-examples compete with their own entry alone.

use super::Prototypes;
use crate::model::{FeatureSpace, FeatureVector, cosines};

/// What examples say of one region or picture, for each entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    /// What is added to the similarity of words; 0 for an entry without examples.
    pub(crate) gains: Vec<f32>,
    /// Factor of the probability, 1 where no counter-example is near.
    pub(crate) factors: Vec<f32>,
}

impl Prototypes {
    /// What the examples say of each vector, in one product.
    pub(crate) fn evidence(&self, space: &FeatureSpace, vectors: &[&FeatureVector]) -> Vec<Evidence> {
        let settings = space.settings();
        let means = cosines(&self.means, vectors);
        let contested = cosines(&self.contested, vectors);
        let of = |(index, everyday): (usize, f64)| {
            let entries = self.counts.len();
            let cosines = means.get(index * entries..).unwrap_or_default();
            let gains = self.counts.iter().zip(cosines).map(|(count, cosine)| {
                let last = settings.weights.len().saturating_sub(1);
                let pair = count.checked_sub(1).and_then(|k| settings.weights.get(k.min(last)));
                pair.map_or(0.0, |[weight, bar]| {
                    weight * ((f64::from(settings.scale * cosine) - everyday) as f32 - bar)
                })
            });
            let sides = self.sides.len();
            let contested = contested.get(index * sides..).unwrap_or_default();
            let mut nearest = vec![(settings.floor, f32::NEG_INFINITY); entries];
            for ((entry, counter), cosine) in self.sides.iter().zip(contested) {
                if let Some((example, other)) = nearest.get_mut(*entry) {
                    let side = if *counter { other } else { example };
                    *side = side.max(*cosine);
                }
            }
            let factors = nearest.iter().map(|(own, other)| (-settings.scale * (other - own).max(0.0)).exp());
            Evidence { gains: gains.collect(), factors: factors.collect() }
        };
        space.everyday(vectors).into_iter().enumerate().map(of).collect()
    }

    /// For entries of which one is right and which differ little, such as the states of a door: how far
    /// `vector` leans to each, as logits. `None` if not all entries have examples.
    pub(crate) fn leanings(&self, space: &FeatureSpace, vector: &FeatureVector) -> Option<Vec<f32>> {
        let spread = self.spread?;
        // |f − p|² = 2 − 2 cos, of which the constant makes no difference.
        let logit = |cosine: &f32| 2.0 * space.settings().sharpness * cosine / spread;
        Some(cosines(&self.means, &[vector]).iter().map(logit).collect())
    }
}
