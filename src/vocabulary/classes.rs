//! Names that mean nearly the same as a class that the detector was trained on. What the detector itself calls a box then
//! counts beside the margin of words.

use super::embeddings::Embeddings;
use edgeclip_kernels::dot;

/// The nearest class of each label; most labels are near none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Links(Vec<Option<Link>>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Link {
    /// Place of the class among the detector's.
    class: usize,
    /// How far it means the same, above 0 and up to 1.
    closeness: f32,
}

impl Links {
    /// Compares `names` with `classes`, both at unit length. Closeness is a ramp over the cosine: 0 up to the first
    /// number of `ramp`, 1 from the second one on.
    pub(super) fn of<'a>(
        names: &Embeddings,
        classes: impl Iterator<Item = &'a [f32]>,
        [from, to]: [f32; 2],
    ) -> Self {
        let classes: Vec<&[f32]> = classes.collect();
        let link = |name: &[f32]| {
            let cosines = classes.iter().map(|class| dot::of_floats(name, class)).enumerate();
            // Of equal ones the first.
            let (class, cosine) = cosines.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
            let closeness = ((cosine - from) / (to - from)).min(1.0);
            (closeness > 0.0).then_some(Link { class, closeness })
        };
        Self(names.rows().map(link).collect())
    }

    /// Whether no label is near a class, so that the detector's logits are needless.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

/// What the detector calls one box.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Called<'a> {
    /// Which labels this says something of.
    pub links: &'a Links,
    /// Logit of each class.
    pub logits: &'a [f32],
    /// What a constant, the margin, objectness and the logit of the class weigh.
    pub weights: &'a [f32; 4],
}

impl Called<'_> {
    /// The logit of a label whose words alone give the logit `words`, with `margin` and `objectness`: between that and what it
    /// is with its class. `believed`, 0 to 1, is how far the words are taken for right.
    pub(super) fn beside(
        &self,
        words: f32,
        label: usize,
        margin: f32,
        objectness: f32,
        believed: f32,
    ) -> f32 {
        let link = self.links.0.get(label).copied().flatten();
        let Some((link, logit)) = link.and_then(|link| Some((link, self.logits.get(link.class)?))) else {
            return words;
        };
        let [bias, weight, object, class] = self.weights;
        let both = bias + weight * margin + object * objectness + class * logit;
        words + link.closeness * believed * (both - words)
    }
}

#[cfg(test)]
#[path = "classes_tests.rs"]
mod tests;
