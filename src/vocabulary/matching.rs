//! Similarities to calibrated probabilities, with "none of these" as the implicit alternative.
//!
//! `s_i = scale · cos(v, t_i)` over prompts and negatives. A margin is how far one similarity exceeds all its
//! alternatives together, `m_i = s_i − ln (Σ_j (1 − a_ij) · w_j · exp(s_j) + Σ_n exp(s_n))`, where j runs over
//! the other prompts and n over the negatives; logistic calibration (Platt scaling) turns margins into
//! probabilities.
//!
//! Synonyms are no alternatives to each other: `a_ij` is the likeness of two prompts ([`Places`]), 0 for most
//! and 1 for those that mean the same, and `w_j = 1 / Σ_k a_jk` makes synonyms count once as an alternative to
//! others (the diversity of similar species: Leinster and Cobbold 2012). Among themselves they are told apart
//! by likelihood: what falls behind a synonym by `s_j − s_i` has its probability multiplied by
//! `exp(−a_ij · (s_j − s_i))`.
//!
//! Where names have examples, their [`Evidence`] is joined with the similarities first. Where a name means the same as a
//! class of the detector, the class counts beside its margin ([`Called`]).

use super::classes::Called;
use super::embeddings::normalised;
use super::examples::Evidence;
use super::places::Places;
use super::words::Vocabulary;
use crate::model::{FeatureSpace, FeatureVector, ImageScore, RegionScore};

/// Probability of each label for a region: `σ(w₀ + w₁·m_i + w₂·objectness)`, less where a synonym fits better.
/// `embedding` needs no unit norm; `objectness` is a logit. A vector without a direction (zero, or not finite)
/// shows nothing: every probability is 0. `said` is what examples say of the region, if there are any, and `called` what
/// the detector calls it.
pub(crate) fn region_scores(
    embedding: &[f32],
    objectness: f32,
    vocabulary: &Vocabulary,
    calibration: &RegionScore,
    said: Option<&Evidence>,
    called: Option<Called<'_>>,
) -> Vec<f32> {
    let [bias, weight, object] = calibration.weights;
    scores(embedding, vocabulary, calibration.scale, said, |label, margin, believed| {
        let words = bias + weight * margin + object * objectness;
        called.map_or(words, |called| called.beside(words, label, margin, objectness, believed))
    })
}

/// Probability of each label for a whole picture: `σ(w₀ + w₁·m_i)`, less where a synonym fits better.
/// `embedding` needs no unit norm; without a direction, as in [`region_scores`].
pub(crate) fn tag_scores(
    embedding: &[f32],
    vocabulary: &Vocabulary,
    calibration: &ImageScore,
    said: Option<&Evidence>,
) -> Vec<f32> {
    let [bias, weight] = calibration.weights;
    scores(embedding, vocabulary, calibration.scale, said, |_, margin, _| bias + weight * margin)
}

/// Probability of each label if exactly one of them is right: softmax of the scaled cosines, without
/// negatives. `embedding` is of unit norm. Where all labels have examples, they decide: `seen` is the space
/// and what is there.
pub(crate) fn choice_scores(
    embedding: &[f32],
    vocabulary: &Vocabulary,
    scale: f32,
    seen: Option<(&FeatureSpace, &FeatureVector)>,
) -> Vec<f32> {
    let leanings = seen.and_then(|(space, vector)| vocabulary.prototypes(space)?.leanings(space, vector));
    if let Some(leanings) = leanings {
        return softmax(&leanings);
    }
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

/// The probability of each label, whose logit is `calibrated` from its place, its margin and how far its words are
/// believed.
fn scores(
    embedding: &[f32],
    vocabulary: &Vocabulary,
    scale: f32,
    said: Option<&Evidence>,
    calibrated: impl Fn(usize, f32, f32) -> f32,
) -> Vec<f32> {
    let Some(v) = normalised(embedding) else { return vec![0.0; vocabulary.len()] };
    let mut similarities: Vec<f32> = vocabulary.embeddings().dots(&v).map(|cosine| scale * cosine).collect();
    let negatives: Vec<f32> = vocabulary.negatives().dots(&v).map(|cosine| scale * cosine).collect();
    let mut believed = Vec::new();
    if vocabulary.is_taught() {
        believed = fuse(&mut similarities, &negatives, vocabulary, said);
        if similarities.iter().all(|similarity| *similarity == f32::NEG_INFINITY) {
            return vec![0.0; vocabulary.len()];
        }
    }
    let factor = |label: usize| said.and_then(|said| said.factors.get(label)).copied().unwrap_or(1.0);
    let places = vocabulary.places();
    let believed = |label: usize| believed.get(label).copied().unwrap_or(1.0);
    let margins = margins(&similarities, &negatives, places);
    let behind = (0..similarities.len()).map(|label| behind(label, &similarities, places));
    let probabilities = margins.into_iter().zip(behind).enumerate();
    probabilities
        .map(|(label, (margin, behind))| {
            probability(calibrated(label, margin, believed(label))) * (-behind).exp() * factor(label)
        })
        .collect()
}

/// Joins what examples say with the similarities of words, and gives how far each label's words are believed. What only
/// zones look for is no alternative to anything; nor is a name without words of which nothing is said.
fn fuse(
    similarities: &mut [f32],
    negatives: &[f32],
    vocabulary: &Vocabulary,
    said: Option<&Evidence>,
) -> Vec<f32> {
    let mut believed = vec![1.0; similarities.len()];
    let most = negatives.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = negatives.iter().map(|similarity| f64::from(similarity - most).exp()).sum();
    let nothing = if negatives.is_empty() { 0.0 } else { f64::from(most) + sum.ln() };
    let labels = vocabulary.entries().iter().zip(vocabulary.embeddings().rows());
    let values = similarities.iter_mut().zip(&mut believed);
    for (label, ((similarity, believed), (entry, row))) in values.zip(labels).enumerate() {
        let sum = said.and_then(|said| said.sums.get(label)).copied().flatten();
        let has_words = row.iter().any(|value| *value != 0.0);
        *similarity = match sum {
            _ if !entry.competes() => f32::NEG_INFINITY,
            Some(sum) => {
                let words = f64::from(*similarity) - nothing;
                *believed = sum.share_of_words(words) as f32;
                (nothing + sum.at(words)) as f32
            }
            None if has_words => *similarity,
            None => f32::NEG_INFINITY,
        };
    }
    believed
}

/// `m_i` of each label.
fn margins(similarities: &[f32], negatives: &[f32], places: &Places) -> Vec<f32> {
    // With the largest subtracted, no exponential overflows. One that underflows leaves a margin above 700.
    let most = similarities.iter().chain(negatives).copied().fold(f32::NEG_INFINITY, f32::max);
    let exponential = |similarity: f32| f64::from(similarity - most).exp();
    let counted: Vec<f64> = similarities.iter().map(|similarity| exponential(*similarity)).collect();
    let counted = |label: usize| counted.get(label).map_or(0.0, |e| e * f64::from(places.weight(label)));
    // Sums from both ends: nothing is taken away from a total, so nothing cancels.
    let groups = places.groups();
    let masses: Vec<f64> =
        groups.iter().map(|group| group.iter().map(|label| counted(*label)).sum()).collect();
    let mut after = vec![0.0; groups.len()];
    let mut sum = 0.0;
    for (after, mass) in after.iter_mut().zip(&masses).rev() {
        *after = sum;
        sum += mass;
    }
    let mut margins = similarities.to_vec();
    let mut before: f64 = negatives.iter().map(|similarity| exponential(*similarity)).sum();
    for ((group, mass), after) in groups.iter().zip(&masses).zip(after) {
        for label in group {
            // Where nothing competes, an imaginary alternative at right angles does: 0.
            if negatives.is_empty() && places.is_alike_to_all(*label) {
                continue;
            }
            let inside: f64 =
                competitors(*label, group, places).map(|(other, share)| counted(other) * share).sum();
            let alternatives = (before + inside + after).max(f64::MIN_POSITIVE).ln();
            if let Some(margin) = margins.get_mut(*label) {
                *margin = (f64::from(*margin - most) - alternatives) as f32;
            }
        }
        before += mass;
    }
    margins
}

/// The others in the label's group with what they keep of their weight as alternatives to it, `1 − a_ij`.
fn competitors<'a>(
    label: usize,
    group: &'a [usize],
    places: &'a Places,
) -> impl Iterator<Item = (usize, f64)> + 'a {
    let mut alike = places.alike(label).iter().peekable();
    let others = group.iter().copied().filter(move |other| *other != label);
    others.map(move |other| {
        let likeness = alike.next_if(|(like, _)| *like == other).map_or(0.0, |(_, likeness)| *likeness);
        (other, f64::from(1.0 - likeness))
    })
}

/// How far a label's similarity falls behind those of its synonyms, `max_j a_ij · (s_j − s_i)`; 0 if it leads.
fn behind(label: usize, similarities: &[f32], places: &Places) -> f32 {
    let at = |label: usize| similarities.get(label).copied().unwrap_or(f32::NEG_INFINITY);
    let lags = places.alike(label).iter().map(|(other, likeness)| likeness * (at(*other) - at(label)));
    lags.fold(0.0, f32::max)
}

/// The logistic function; 0 for NaN.
fn probability(logit: f32) -> f32 {
    if logit.is_nan() { 0.0 } else { 1.0 / (1.0 + (-logit).exp()) }
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
