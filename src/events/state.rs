//! The state of a zone: which of its prompts it shows.

use std::sync::Arc;

use super::settings::Zone;
use super::smoothing::{Debounce, Smoothed, decay};
use super::{Event, FrameTime};

/// The state of a zone: the prompt whose average probability exceeds all others' by the zone's `margin` for
/// the zone's `debounce` time. While no prompt stands out, the state stays.
#[derive(Debug)]
pub(super) struct StateMonitor {
    names: Vec<Arc<str>>,
    texts: Vec<String>,
    /// One per prompt; empty until the first probabilities have come.
    means: Vec<Smoothed>,
    current: Option<Arc<str>>,
    debounce: Debounce<usize>,
}

impl StateMonitor {
    pub(crate) fn new<'a>(states: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let (names, texts) = states.map(|(name, text)| (Arc::from(name), text.to_owned())).unzip();
        Self { names, texts, means: Vec::new(), current: None, debounce: Debounce::new() }
    }

    /// Takes over the old state if there is still a prompt for it, and the averages if all
    /// prompts are the same.
    pub(crate) fn inherit(&mut self, old: Self) {
        if self.names == old.names && self.texts == old.texts {
            *self = old;
        } else {
            self.current = old.current.filter(|state| self.names.contains(state));
        }
    }

    /// The state, if one has been reported.
    pub(crate) fn current(&self) -> Option<&Arc<str>> {
        self.current.as_ref()
    }

    /// For each prompt, the name that is printed and the text that is embedded.
    pub(crate) fn prompts(&self) -> impl Iterator<Item = (Arc<str>, String)> {
        self.names.iter().cloned().zip(self.texts.iter().cloned())
    }

    /// Updates the averages, with the prompts' probabilities if this frame has any.
    pub(crate) fn update(
        &mut self,
        (zone, rule): (&Arc<str>, &Zone),
        time: FrameTime,
        probabilities: Option<&[f32]>,
    ) -> Option<Event> {
        let usable = |p: &&[f32]| p.len() == self.names.len() && p.iter().all(|p| p.is_finite());
        let new = probabilities.filter(usable).unwrap_or_default();
        if self.means.is_empty() {
            self.means = new.iter().map(|p| Smoothed::new(f64::from(*p))).collect();
        }
        let decay = decay(time.step, rule.smoothing);
        for (i, mean) in self.means.iter_mut().enumerate() {
            mean.advance(new.get(i).copied(), decay);
        }
        let wanted = self.leading(f64::from(rule.margin));
        let wanted = wanted.filter(|i| self.names.get(*i) != self.current.as_ref());
        let index = self.debounce.settled(rule.debounce, time.now, wanted)?;
        let state = self.names.get(index)?.clone();
        let probability = self.means.get(index)?.mean() as f32;
        let before = self.current.replace(state.clone());
        Some(Event::State { zone: zone.clone(), state, before, probability })
    }

    /// The most probable prompt, if it exceeds the second best by `margin`.
    fn leading(&self, margin: f64) -> Option<usize> {
        let means = || self.means.iter().map(Smoothed::mean).enumerate();
        let (best, most) = means().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let second = means().filter(|(i, _)| *i != best).map(|(_, p)| p).fold(0.0, f64::max);
        (most > second && most - second >= margin).then_some(best)
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
