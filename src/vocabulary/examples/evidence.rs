//! What examples say of a region or picture, beside what words say.
//!
//! An entry's evidence is `e = scale · cos(f, p) − z`, where `f` is the region's feature vector, `p` the mean of
//! the entry's examples and `z = ln mean_n exp(scale · cos(f, bank_n))`: how much likelier the region looks like
//! the examples than like everyday things. It joins that of words, `r`, in a weighted sum. Counter-examples
//! compete with their own entry alone.

use super::Prototypes;
use crate::model::{ExamplePool, FeatureSpace, FeatureVector, cosines};

/// What examples say of one region or picture, for each entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    /// `None` for an entry without examples.
    pub(crate) sums: Vec<Option<Sum>>,
    /// Factor of the probability, 1 where no counter-example is near.
    pub(crate) factors: Vec<f32>,
}

/// The joint evidence of words and examples, as a function of that of words: `weight · r + constant`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sum {
    /// What words weigh; 0 for an entry without words.
    pub(crate) weight: f64,
    /// What examples add.
    pub(crate) constant: f64,
}

impl Prototypes {
    /// What the examples say of each vector, in one product; `kind` has the weights of regions or of pictures.
    pub(crate) fn evidence(
        &self,
        space: &FeatureSpace,
        kind: &ExamplePool,
        vectors: &[&FeatureVector],
    ) -> Vec<Evidence> {
        let means = cosines(&self.means, vectors);
        let contested = cosines(&self.contested, vectors);
        let (entries, sides) = (self.counts.len(), self.sides.len());
        let of = |(index, everyday): (usize, f64)| {
            let means = means.get(index * entries..).unwrap_or_default();
            let contested = contested.get(index * sides..).unwrap_or_default();
            Evidence {
                sums: self.sums(space, kind, means, everyday),
                factors: self.factors(space, contested),
            }
        };
        space.everyday(vectors).into_iter().enumerate().map(of).collect()
    }

    fn sums(
        &self,
        space: &FeatureSpace,
        kind: &ExamplePool,
        cosines: &[f32],
        everyday: f64,
    ) -> Vec<Option<Sum>> {
        let entries = self.counts.iter().zip(&self.agreements).zip(cosines);
        let sum = |((count, agreement), cosine): ((&usize, &Option<f64>), &f32)| {
            let evidence = f64::from(space.settings().scale) * f64::from(*cosine) - everyday;
            (*count > 0).then(|| match agreement {
                Some(agreement) => {
                    let [words, examples, constant, agrees] = at(&kind.beside_words, *count);
                    let constant = examples * evidence + constant + agrees * agreement;
                    Sum { weight: words, constant }
                }
                None => {
                    let [examples, constant] = at(&kind.alone, *count);
                    Sum { weight: 0.0, constant: examples * evidence + constant }
                }
            })
        };
        entries.map(sum).collect()
    }

    fn factors(&self, space: &FeatureSpace, cosines: &[f32]) -> Vec<f32> {
        let settings = space.settings();
        let mut nearest = vec![(settings.floor, f32::NEG_INFINITY); self.counts.len()];
        for ((entry, counter), cosine) in self.sides.iter().zip(cosines) {
            if let Some((example, other)) = nearest.get_mut(*entry) {
                let side = if *counter { other } else { example };
                *side = side.max(*cosine);
            }
        }
        let factor = |(own, other): (f32, f32)| (-settings.counter_scale * (other - own).max(0.0)).exp();
        nearest.into_iter().map(factor).collect()
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

/// The weights at so many examples, between those of one and of endlessly many.
fn at<const N: usize>([one, many]: &[[f64; N]; 2], count: usize) -> [f64; N] {
    let mut weights = *many;
    for (weight, one) in weights.iter_mut().zip(one) {
        *weight += (one - *weight) / count as f64;
    }
    weights
}
