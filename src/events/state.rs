//! Which of its prompts a zone shows.

use std::sync::Arc;
use std::time::Duration;

use super::Event;
use super::hold::{Hold, Smoothed, kept};
use super::settings::Zone;

/// What a zone shows: a prompt whose average probability exceeds all others' by the zone's `margin`, for as long as its
/// `debounce`. Where none stands out, the zone stays as it was.
#[derive(Debug)]
pub(super) struct Display {
    names: Vec<Arc<str>>,
    texts: Vec<String>,
    /// One a prompt; empty until probabilities have come.
    means: Vec<Smoothed>,
    shown: Option<Arc<str>>,
    hold: Hold<usize>,
}

impl Display {
    pub fn new<'a>(states: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let (names, texts) = states.map(|(name, text)| (Arc::from(name), text.to_owned())).unzip();
        Self { names, texts, means: Vec::new(), shown: None, hold: Hold::new() }
    }

    /// Takes over what was shown if it still has a prompt, and the averages if all prompts are the same.
    pub fn inherit(&mut self, old: Self) {
        if self.names == old.names && self.texts == old.texts {
            *self = old;
        } else {
            self.shown = old.shown.filter(|state| self.names.contains(state));
        }
    }

    /// The state, if one has been told.
    pub fn shown(&self) -> Option<&Arc<str>> {
        self.shown.as_ref()
    }

    /// What is printed and what is embedded, for each prompt.
    pub fn prompts(&self) -> impl Iterator<Item = (Arc<str>, String)> {
        self.names.iter().cloned().zip(self.texts.iter().cloned())
    }

    /// Takes the prompts' probabilities, if this frame has some, `step` after the last frame.
    pub fn look(
        &mut self,
        (zone, rule): (&Arc<str>, &Zone),
        (now, step): (Duration, Duration),
        probabilities: Option<&[f32]>,
    ) -> Option<Event> {
        let usable = |p: &&[f32]| p.len() == self.names.len() && p.iter().all(|p| p.is_finite());
        let new = probabilities.filter(usable).unwrap_or_default();
        if self.means.is_empty() {
            self.means = new.iter().map(|p| Smoothed::new(f64::from(*p))).collect();
        }
        let kept = kept(step, rule.smoothing);
        for (i, mean) in self.means.iter_mut().enumerate() {
            mean.go_on(new.get(i).copied(), kept);
        }
        let wanted = self.outstanding(f64::from(rule.margin));
        let wanted = wanted.filter(|i| self.names.get(*i) != self.shown.as_ref());
        let index = self.hold.after(rule.debounce, now, wanted)?;
        let state = self.names.get(index)?.clone();
        let probability = self.means.get(index)?.mean() as f32;
        let before = self.shown.replace(state.clone());
        Some(Event::State { zone: zone.clone(), state, before, probability })
    }

    /// The most probable prompt, if it exceeds the second by `margin`.
    fn outstanding(&self, margin: f64) -> Option<usize> {
        let means = || self.means.iter().map(Smoothed::mean).enumerate();
        let (best, most) = means().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let second = means().filter(|(i, _)| *i != best).map(|(_, p)| p).fold(0.0, f64::max);
        (most > second && most - second >= margin).then_some(best)
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
