//! Similarities to calibrated probabilities, with "none of these" as the implicit alternative.
//!
//! `s_i = scale · cos(v, t_i)` over prompts and negatives. A margin is how far one similarity exceeds all its
//! alternatives together, `m_i = s_i − ln Σ exp(s_j)`; logistic calibration (Platt scaling) turns margins
//! into probabilities.

use super::embeddings::normalised;
use super::words::Vocabulary;
use crate::model::{ImageScore, RegionScore};

/// Probability of each label for a region: `σ(w₀ + w₁·m_i + w₂·objectness)`. `embedding` needs no unit norm;
/// `objectness` is a logit. A vector without a direction (zero, or not finite) shows nothing: every
/// probability is 0.
pub(crate) fn region_scores(
    embedding: &[f32],
    objectness: f32,
    vocabulary: &Vocabulary,
    calibration: &RegionScore,
) -> Vec<f32> {
    let [bias, weight, object] = calibration.weights;
    match margins(embedding, vocabulary, calibration.scale) {
        Some(margins) => margins.map(|m| probability(bias + weight * m + object * objectness)).collect(),
        None => vec![0.0; vocabulary.len()],
    }
}

/// Probability of each label for a whole picture: `σ(w₀ + w₁·m_i)`. `embedding` needs no unit norm; without a
/// direction, as in [`region_scores`].
pub(crate) fn tag_scores(embedding: &[f32], vocabulary: &Vocabulary, calibration: &ImageScore) -> Vec<f32> {
    let [bias, weight] = calibration.weights;
    match margins(embedding, vocabulary, calibration.scale) {
        Some(margins) => margins.map(|m| probability(bias + weight * m)).collect(),
        None => vec![0.0; vocabulary.len()],
    }
}

/// Probability of each label if exactly one of them is right: softmax of the scaled cosines, without
/// negatives. `embedding` is of unit norm.
pub(crate) fn choice_scores(embedding: &[f32], vocabulary: &Vocabulary, scale: f32) -> Vec<f32> {
    let logits: Vec<f32> = vocabulary.embeddings().dots(embedding).map(|cosine| scale * cosine).collect();
    softmax(&logits)
}

/// `exp(x_i) / Σ exp(x_j)`, by subtracting the largest first so that no exponential overflows.
fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

/// `m_i` of each label; `None` for an embedding without a direction.
fn margins(embedding: &[f32], vocabulary: &Vocabulary, scale: f32) -> Option<impl Iterator<Item = f32>> {
    let v = normalised(embedding)?;
    let similarities: Vec<f32> = vocabulary.embeddings().dots(&v).map(|cosine| scale * cosine).collect();
    let negatives: Vec<f32> = vocabulary.negatives().dots(&v).map(|cosine| scale * cosine).collect();
    let others = Alternatives::new(&similarities, &negatives);
    Some(similarities.into_iter().enumerate().map(move |(i, s)| s - others.without(i, s)))
}

/// `ln Σ exp(s_j)` over `j ≠ i` for every i, in linear time altogether.
struct Alternatives {
    /// Where the largest similarity of the prompts is, if no negative is larger.
    best: Option<usize>,
    /// `ln Σ exp` without the best.
    without_best: f32,
    /// The largest similarity of all.
    max: f32,
    /// `Σ exp(s_j − max)` over all. Taking away one that is not the best leaves at least exp(0) = 1, so
    /// nothing cancels.
    total: f32,
}

impl Alternatives {
    fn new(prompts: &[f32], negatives: &[f32]) -> Self {
        let all = || prompts.iter().chain(negatives).copied();
        let max = all().fold(f32::NEG_INFINITY, f32::max);
        let best = prompts.iter().position(|s| *s == max);
        let total = all().map(|s| (s - max).exp()).sum();
        let without_best = log_sum_exp(all().enumerate().filter(|(j, _)| Some(*j) != best).map(|(_, s)| s));
        Self { best, without_best, max, total }
    }

    fn without(&self, i: usize, s: f32) -> f32 {
        if Some(i) == self.best {
            self.without_best
        } else {
            self.max + (self.total - (s - self.max).exp()).ln()
        }
    }
}

/// `ln Σ exp(s)`, by subtracting the largest first so that no exponential overflows. Without alternatives, an
/// imaginary one at right angles competes: 0.
fn log_sum_exp(similarities: impl Iterator<Item = f32> + Clone) -> f32 {
    let max = similarities.clone().fold(f32::NEG_INFINITY, f32::max);
    if max == f32::NEG_INFINITY {
        return 0.0;
    }
    max + similarities.map(|s| (s - max).exp()).sum::<f32>().ln()
}

/// The logistic function; 0 for NaN.
fn probability(logit: f32) -> f32 {
    if logit.is_nan() { 0.0 } else { 1.0 / (1.0 + (-logit).exp()) }
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
