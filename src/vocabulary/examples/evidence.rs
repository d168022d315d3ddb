//! What examples say of a region or picture, beside what words say.
//!
//! An entry's evidence is `e = scale · cos(f, p) − z`, where `f` is the region's feature vector, `p` the mean of
//! the entry's examples and `z = ln mean_n exp(scale · cos(f, bank_n))`: how much likelier the region looks like
//! the examples than like everyday things. It joins that of words, `r`, in a weighted sum; or, where the manifest's
//! `trust` says how likely words fit their own examples, in a mixture of both. Counter-examples compete with their own
//! entry alone.

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

/// The joint evidence of words and examples, as a function of that of words:
/// `ln(exp(weight · r + constant) + exp(otherwise))`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sum {
    /// What words weigh; 0 for an entry without words.
    pub(crate) weight: f64,
    /// What examples add.
    pub(crate) constant: f64,
    /// What examples say if the words are wrong; −∞ if they are believed.
    pub(crate) otherwise: f64,
}

impl Sum {
    /// The joint evidence where that of words is `r`.
    pub(crate) fn at(&self, words: f64) -> f64 {
        let beside = self.weight * words + self.constant;
        let (less, more) = (beside.min(self.otherwise), beside.max(self.otherwise));
        more + (less - more).exp().ln_1p()
    }
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
            let alone = || {
                let [examples, constant] = at(&kind.alone, *count);
                examples * evidence + constant
            };
            (*count > 0).then(|| match agreement {
                Some(agreement) => {
                    let [words, examples, constant, agrees] = at(&kind.beside_words, *count);
                    let beside = examples * evidence + constant + agrees * agreement;
                    let (believed, otherwise) = match &kind.trust {
                        None => (0.0, f64::NEG_INFINITY),
                        Some(trust) => {
                            let logit = trusted(trust, *agreement, *count);
                            (-(-logit).exp().ln_1p(), -logit.exp().ln_1p() + alone())
                        }
                    };
                    Sum { weight: words, constant: beside + believed, otherwise }
                }
                None => Sum { weight: 0.0, constant: alone(), otherwise: f64::NEG_INFINITY },
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

/// How likely the words fit their examples, as a logit.
fn trusted([slope, constant, few]: &[f64; 3], agreement: f64, count: usize) -> f64 {
    slope * agreement + constant + few / count as f64
}

/// The weights at so many examples, between those of one and of endlessly many.
fn at<const N: usize>([one, many]: &[[f64; N]; 2], count: usize) -> [f64; N] {
    let mut weights = *many;
    for (weight, one) in weights.iter_mut().zip(one) {
        *weight += (one - *weight) / count as f64;
    }
    weights
}
