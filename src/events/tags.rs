//! Tags of the whole picture that appear and disappear.

use std::collections::HashMap;
use std::sync::Arc;

use super::settings::{Label, Tags};
use super::smoothing::{Debounce, Smoothed, decay};
use super::{Event, FrameTime};

/// All tags of a source, in the order of the scores, followed by those that are no longer among the scores.
///
/// A tag appears when its average probability has been at least `on` for `hold` seconds, and disappears when
/// it has been below `off` for as long (hysteresis). A tag that is no longer scored has probability 0.
#[derive(Debug)]
pub(super) struct TagMonitor {
    rule: Tags,
    labels: Arc<[Label]>,
    tags: Vec<TagState>,
}

#[derive(Debug)]
struct TagState {
    name: Arc<str>,
    /// Thresholds of appearing and disappearing; `None` if the tag is not watched.
    thresholds: Option<[f64; 2]>,
    mean: Smoothed,
    present: bool,
    debounce: Debounce<bool>,
}

impl TagMonitor {
    pub(crate) fn new(rule: &Tags, labels: &Arc<[Label]>) -> Self {
        Self { rule: rule.clone(), labels: labels.clone(), tags: Vec::new() }
    }

    /// Takes over which tags are present.
    pub(crate) fn inherit(&mut self, old: Self) {
        self.tags = old.tags;
        for tag in &mut self.tags {
            tag.thresholds = thresholds(&self.rule, &self.labels, &tag.name);
        }
    }

    /// Adds the probabilities of a frame; empty if the detector did not run.
    pub(crate) fn update(&mut self, time: FrameTime, scores: &[(Arc<str>, f32)], out: &mut Vec<Event>) {
        if !scores.is_empty() {
            self.align(scores);
        }
        let decay = decay(time.step, self.rule.smoothing);
        for (i, tag) in self.tags.iter_mut().enumerate() {
            let score = scores.get(i).map_or(0.0, |(_, score)| *score);
            let score = if tag.thresholds.is_some() { score } else { 0.0 };
            tag.mean.advance((!scores.is_empty()).then_some(score), decay);
            let mean = tag.mean.mean();
            let present = match (tag.present, tag.thresholds) {
                (false, thresholds) => thresholds.is_some_and(|[on, _]| mean >= on),
                (true, thresholds) => thresholds.is_some_and(|[_, off]| mean >= off),
            };
            let change = (present != tag.present).then_some(present);
            if let Some(present) = tag.debounce.settled(self.rule.hold, time.now, change) {
                tag.present = present;
                out.push(Event::Tag { label: tag.name.clone(), present, score: mean as f32 });
            }
        }
    }

    /// Brings the tags into the order of `scores`, which they already have unless prompts were reloaded.
    fn align(&mut self, scores: &[(Arc<str>, f32)]) {
        let same = |(tag, (name, _)): (&TagState, &(Arc<str>, f32))| {
            Arc::ptr_eq(&tag.name, name) || tag.name == *name
        };
        if self.tags.len() >= scores.len() && self.tags.iter().zip(scores).all(same) {
            return;
        }
        let mut old: HashMap<Arc<str>, TagState> =
            self.tags.drain(..).map(|tag| (tag.name.clone(), tag)).collect();
        for (name, score) in scores {
            let new = || TagState {
                name: name.clone(),
                thresholds: thresholds(&self.rule, &self.labels, name),
                mean: Smoothed::new(if score.is_finite() { f64::from(*score) } else { 0.0 }),
                present: false,
                debounce: Debounce::new(),
            };
            self.tags.push(old.remove(name).unwrap_or_else(new));
        }
        let mut left: Vec<TagState> = old.into_values().filter(|tag| tag.present).collect();
        left.sort_by(|a, b| a.name.cmp(&b.name));
        self.tags.extend(left);
    }
}

/// Thresholds of a tag. One of its own replaces `on` and scales `off` in proportion.
fn thresholds(rule: &Tags, labels: &[Label], name: &str) -> Option<[f64; 2]> {
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
