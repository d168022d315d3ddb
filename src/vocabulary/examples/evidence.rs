//! What examples say of a region or picture, beside what words say.
//!
//! An entry's evidence is `e = scale · f·p − z`, where `f` is the region's feature vector, `p` the prototype of the
//! entry's examples ([`FeatureSpace::prototype`]) and `z = ln mean_n exp(scale · cos(f, bank_n))`: how much likelier the
//! region looks like the examples than like everyday things. It joins that of words, `r`, in a weighted sum; or, where the manifest's
//! `trust` says how likely words fit their own examples, in a mixture of both. Counter-examples compete with their own
//! entry alone.

use super::prototypes::{agreement, prototype};
use super::{Example, Examples, Prototypes, mean};
use crate::model::{ExamplePool, ExampleSettings, FeatureSpace, FeatureVector, cosines};

/// How far the smaller part of a [`Sum`] must be below the larger to be passed over: `ln(1 + exp(−17))` is `4e-8`, less
/// than the f32 that the sum becomes can hold.
const NEGLIGIBLE: f64 = -17.0;

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
        let below = less - more;
        if below < NEGLIGIBLE { more } else { more + f64::from((below as f32).exp().ln_1p()) }
    }

    /// How much of the joint evidence is that of words, 0 to 1.
    pub(crate) fn share_of_words(&self, words: f64) -> f64 {
        let beside = self.weight * words + self.constant;
        1.0 / (1.0 + (self.otherwise - beside).exp())
    }
}

/// A [`Sum`] as a function of the evidence of examples, which is the same for all regions: `slope · e + constant`.
#[derive(Debug, Clone, Copy)]
struct Weighing {
    words: f64,
    beside: Line,
    otherwise: Line,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    slope: f64,
    constant: f64,
}

impl Line {
    /// What is never believed.
    const NEVER: Self = Self { slope: 0.0, constant: f64::NEG_INFINITY };

    fn at(self, evidence: f64) -> f64 {
        self.slope * evidence + self.constant
    }

    fn raised(self, by: f64) -> Self {
        Self { constant: self.constant + by, ..self }
    }
}

impl Weighing {
    /// Of an entry with so many examples; `agreement` is how far its words fit them, `None` without words.
    fn of(kind: &ExamplePool, count: usize, agreement: Option<f64>) -> Self {
        let [slope, constant] = at(&kind.alone, count);
        let alone = Line { slope, constant };
        let Some(agreement) = agreement else {
            return Self { words: 0.0, beside: alone, otherwise: Line::NEVER };
        };
        let [words, slope, constant, agrees] = at(&kind.beside_words, count);
        let beside = Line { slope, constant: constant + agrees * agreement };
        match &kind.trust {
            None => Self { words, beside, otherwise: Line::NEVER },
            Some(trust) => {
                let logit = trusted(trust, agreement, count);
                let otherwise = alone.raised(-logit.exp().ln_1p());
                Self { words, beside: beside.raised(-(-logit).exp().ln_1p()), otherwise }
            }
        }
    }

    fn sum(&self, evidence: f64) -> Sum {
        Sum { weight: self.words, constant: self.beside.at(evidence), otherwise: self.otherwise.at(evidence) }
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
        let compared = cosines(&self.compared, vectors);
        let contested = cosines(&self.contested, vectors);
        let entries = self.counts.iter().zip(&self.agreements);
        let weighing = |(count, agreement): (&usize, &Option<f64>)| {
            (*count > 0).then(|| Weighing::of(kind, *count, *agreement))
        };
        let weighings: Vec<Option<Weighing>> = entries.map(weighing).collect();
        let scale = f64::from(space.settings().scale);
        let of = |(index, everyday): (usize, f64)| {
            let compared = compared.get(index * weighings.len()..).unwrap_or_default();
            let contested = contested.get(index * self.sides.len()..).unwrap_or_default();
            let sum = |(weighing, cosine): (&Option<Weighing>, &f32)| {
                weighing.as_ref().map(|weighing| weighing.sum(scale * f64::from(*cosine) - everyday))
            };
            Evidence {
                sums: weighings.iter().zip(compared).map(sum).collect(),
                factors: self.factors(space, contested),
            }
        };
        space.everyday(vectors).into_iter().enumerate().map(of).collect()
    }

    /// What is said of the example at `index` of `examples` as if it were none of them; `words` are those of its entry,
    /// zeros if it has none.
    pub(crate) fn evidence_without(
        &self,
        space: &FeatureSpace,
        kind: &ExamplePool,
        examples: &Examples,
        index: usize,
        words: &[f32],
    ) -> Option<Evidence> {
        let Example { entry, vector, .. } = examples.rows.get(index)?;
        let mut evidence = self.evidence(space, kind, &[vector]).pop()?;
        let others =
            examples.rows.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, row)| row);
        let others = others.filter(|row| row.entry == *entry && !row.counter);
        let rest: Vec<&FeatureVector> = others.map(|row| &row.vector).collect();
        let settings = space.settings();
        if let (Some(own), Some(everyday)) =
            (evidence.sums.get_mut(*entry), space.everyday(&[vector]).first())
        {
            *own = prototype(space, rest.iter().copied()).map(|prototype| {
                let likeness = f64::from(settings.scale) * f64::from(vector.cosine(&prototype));
                let has_words = words.iter().any(|value| *value != 0.0);
                let mean = mean(rest.iter().copied()).filter(|_| has_words);
                let agreement = mean.map(|mean| agreement(&mean, words));
                Weighing::of(kind, rest.len(), agreement).sum(likeness - everyday)
            });
        }
        if let Some(factor) = evidence.factors.get_mut(*entry) {
            let near = rest.iter().map(|row| vector.cosine(row)).fold(settings.floor, f32::max);
            let against = examples.against(*entry).map(|row| vector.cosine(&row.vector));
            *factor = countered(settings, near, against.fold(f32::NEG_INFINITY, f32::max));
        }
        Some(evidence)
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
        nearest.into_iter().map(|(near, against)| countered(settings, near, against)).collect()
    }

    /// For entries of which one is right and which differ little, such as the states of a door: how far
    /// `vector` leans to each, as logits. `None` if not all entries have examples.
    pub(crate) fn leanings(&self, space: &FeatureSpace, vector: &FeatureVector) -> Option<Vec<f32>> {
        let (means, spread) = self.means.as_ref()?;
        // |f − p|² = 2 − 2 cos, of which the constant makes no difference.
        let logit = |cosine: &f32| 2.0 * space.settings().sharpness * cosine / spread;
        Some(cosines(means, &[&space.of_state(vector)]).iter().map(logit).collect())
    }
}

/// What a probability is multiplied by where the nearest example has the cosine `near`, or `floor` if that is more, and
/// the nearest counter-example `against`.
fn countered(settings: &ExampleSettings, near: f32, against: f32) -> f32 {
    (-settings.counter_scale * (against - near).max(0.0)).exp()
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
