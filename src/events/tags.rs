//! Tags of the whole picture that come and go.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Event;
use super::hold::{Hold, Smoothed, kept};
use super::settings::{Label, Tags};

/// All tags of a source, in the order of their probabilities; those that are no longer among them behind.
///
/// A tag comes when its average probability has been `on` or more for `hold` seconds, and goes when it has been below `off` as
/// long. A tag that is not looked for any more has probability 0.
#[derive(Debug)]
pub(super) struct Tagger {
    rule: Tags,
    labels: Arc<[Label]>,
    tags: Vec<State>,
}

#[derive(Debug)]
struct State {
    name: Arc<str>,
    /// Bounds of coming and going; `None` where nobody asks for the tag.
    bounds: Option<[f64; 2]>,
    mean: Smoothed,
    present: bool,
    hold: Hold<bool>,
}

impl Tagger {
    pub fn new(rule: &Tags, labels: &Arc<[Label]>) -> Self {
        Self { rule: rule.clone(), labels: labels.clone(), tags: Vec::new() }
    }

    /// Takes over which tags there are.
    pub fn inherit(&mut self, old: Self) {
        self.tags = old.tags;
        for tag in &mut self.tags {
            tag.bounds = bounds(&self.rule, &self.labels, &tag.name);
        }
    }

    /// Takes the probabilities of a frame, `step` after the last one; none: nobody looked.
    pub fn look(
        &mut self,
        (now, step): (Duration, Duration),
        scores: &[(Arc<str>, f32)],
        out: &mut Vec<Event>,
    ) {
        if !scores.is_empty() {
            self.align(scores);
        }
        let kept = kept(step, self.rule.smoothing);
        for (i, tag) in self.tags.iter_mut().enumerate() {
            let score = scores.get(i).map_or(0.0, |(_, score)| *score);
            let score = if tag.bounds.is_some() { score } else { 0.0 };
            tag.mean.go_on((!scores.is_empty()).then_some(score), kept);
            let mean = tag.mean.mean();
            let present = match (tag.present, tag.bounds) {
                (false, bounds) => bounds.is_some_and(|[on, _]| mean >= on),
                (true, bounds) => bounds.is_some_and(|[_, off]| mean >= off),
            };
            let change = (present != tag.present).then_some(present);
            if let Some(present) = tag.hold.after(self.rule.hold, now, change) {
                tag.present = present;
                out.push(Event::Tag { label: tag.name.clone(), present, score: mean as f32 });
            }
        }
    }

    /// Puts the tags into the order of `scores`. That is theirs already, unless prompts were reloaded.
    fn align(&mut self, scores: &[(Arc<str>, f32)]) {
        let same =
            |(tag, (name, _)): (&State, &(Arc<str>, f32))| Arc::ptr_eq(&tag.name, name) || tag.name == *name;
        if self.tags.len() >= scores.len() && self.tags.iter().zip(scores).all(same) {
            return;
        }
        let mut old: HashMap<Arc<str>, State> =
            self.tags.drain(..).map(|tag| (tag.name.clone(), tag)).collect();
        for (name, score) in scores {
            let new = || State {
                name: name.clone(),
                bounds: bounds(&self.rule, &self.labels, name),
                mean: Smoothed::new(if score.is_finite() { f64::from(*score) } else { 0.0 }),
                present: false,
                hold: Hold::new(),
            };
            self.tags.push(old.remove(name).unwrap_or_else(new));
        }
        let mut left: Vec<State> = old.into_values().filter(|tag| tag.present).collect();
        left.sort_by(|a, b| a.name.cmp(&b.name));
        self.tags.extend(left);
    }
}

/// Where a tag comes and goes. A threshold of its own stands for `on`; `off` is the same part of it as for others.
fn bounds(rule: &Tags, labels: &[Label], name: &str) -> Option<[f64; 2]> {
    if !rule.tags.is_empty() && !rule.tags.iter().any(|tag| tag == name) {
        return None;
    }
    let (on, off) = (f64::from(rule.on), f64::from(rule.off));
    match labels.iter().find(|label| label.name == name).and_then(|label| label.threshold) {
        Some(own) if on > 0.0 => Some([f64::from(own), f64::from(own) * off / on]),
        _ => Some([on, off]),
    }
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
