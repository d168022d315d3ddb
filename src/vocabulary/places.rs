//! Which prompts mean nearly the same: they share a place among the alternatives of the others instead of
//! competing for it.

use std::ops::RangeInclusive;

use super::embeddings::Embeddings;
use edgeclip_kernels::dot;

/// Up to the lower cosine two prompts compete in full ("cat" and "dog": 0.56), from the upper one not at all
/// ("cat" and "kitten": 0.73, "cat" and "cats": 0.89).
const ALIKE: RangeInclusive<f32> = 0.65..=0.725;
/// Likeness from which two names of one object are one too many.
const RIVALS: f32 = 0.5;
/// Most labels that are compared pair by pair; in a larger vocabulary each is alone.
pub(super) const MAX_COMPARED: usize = 2000;

/// The likeness `a_ij` of labels, from 0 to 1: a ramp over the cosine of their prompts, see [`ALIKE`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Places {
    /// For each label, those that are like it: index and likeness above 0, by index, without itself.
    alike: Vec<Vec<(usize, f32)>>,
    /// Labels that are alike, directly or by way of others. Most are alone.
    groups: Vec<Vec<usize>>,
}

impl Places {
    /// Compares all of `embeddings`, which are of unit norm.
    pub(super) fn of(embeddings: &Embeddings) -> Self {
        let mut alike = vec![Vec::new(); embeddings.len()];
        if embeddings.len() <= MAX_COMPARED {
            let likeness = |a: &[f32], b: &[f32]| {
                ((dot::of_floats(a, b) - ALIKE.start()) / (ALIKE.end() - ALIKE.start())).clamp(0.0, 1.0)
            };
            for (label, (own, row)) in alike.iter_mut().zip(embeddings.rows()).enumerate() {
                let others = embeddings.rows().enumerate().filter(|(other, _)| *other != label);
                own.extend(others.map(|(other, to)| (other, likeness(row, to))).filter(|pair| pair.1 > 0.0));
            }
        }
        Self { groups: groups(&alike), alike }
    }

    /// Labels that share a place, directly or by way of others; each label is in one group.
    pub(super) fn groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    /// The labels like this one, by index, each with its likeness above 0.
    pub(super) fn alike(&self, label: usize) -> &[(usize, f32)] {
        self.alike.get(label).map_or(&[], Vec::as_slice)
    }

    /// Whether no label competes with this one.
    pub(super) fn is_alike_to_all(&self, label: usize) -> bool {
        let same = self.alike(label).iter().filter(|(_, likeness)| *likeness >= 1.0).count();
        same + 1 == self.alike.len()
    }

    /// `w_i = 1 / Σ_j a_ij`: what a label counts as an alternative, so that equal ones count as one together.
    pub(super) fn weight(&self, label: usize) -> f32 {
        1.0 / (1.0 + self.alike(label).iter().map(|(_, likeness)| likeness).sum::<f32>())
    }

    /// The labels of which one object takes only the better.
    pub(crate) fn rivals(&self, label: usize) -> impl Iterator<Item = usize> {
        self.alike(label).iter().filter(|(_, likeness)| *likeness >= RIVALS).map(|(other, _)| *other)
    }

    /// The highest of each label's own score and those of its [`Places::rivals`].
    pub(crate) fn strongest(&self, scores: &[f32]) -> Vec<f32> {
        let at = |label: usize| scores.get(label).copied().unwrap_or_default();
        (0..scores.len()).map(|label| self.rivals(label).map(at).fold(at(label), f32::max)).collect()
    }

    /// Whether any labels are [`Places::rivals`].
    pub(crate) fn have_rivals(&self) -> bool {
        (0..self.alike.len()).any(|label| self.rivals(label).next().is_some())
    }
}

/// Connected components, in the order of their first labels.
fn groups(alike: &[Vec<(usize, f32)>]) -> Vec<Vec<usize>> {
    let mut seen = vec![false; alike.len()];
    let mut groups = Vec::new();
    for first in 0..alike.len() {
        let (mut group, mut open) = (Vec::new(), vec![first]);
        while let Some(label) = open.pop() {
            let Some(seen) = seen.get_mut(label).filter(|seen| !**seen) else { continue };
            *seen = true;
            group.push(label);
            open.extend(alike.get(label).into_iter().flatten().map(|(other, _)| *other));
        }
        if !group.is_empty() {
            group.sort_unstable();
            groups.push(group);
        }
    }
    groups
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
