//! How many things of each name are in a zone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Event;

/// Counts by name, each the median of those of the last frames.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    tallies: BTreeMap<Arc<str>, Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    /// Newest last; before the first it was as told.
    counts: VecDeque<u32>,
    told: u32,
}

impl Crowd {
    /// Takes one frame's counts; medians are over `frames` of them.
    pub fn take(
        &mut self,
        zone: &Arc<str>,
        frames: usize,
        present: BTreeMap<Arc<str>, u32>,
        out: &mut Vec<Event>,
    ) {
        for label in present.keys() {
            self.tallies.entry(label.clone()).or_default();
        }
        for (label, tally) in &mut self.tallies {
            let (count, before) = (tally.take(frames, present.get(label).copied().unwrap_or(0)), tally.told);
            if count != before {
                tally.told = count;
                out.push(Event::Occupancy { zone: zone.clone(), label: label.clone(), count, before });
            }
        }
        self.tallies.retain(|_, tally| tally.counts.iter().any(|count| *count > 0));
    }

    /// Tells that nobody is there any more.
    pub fn close(self, zone: &Arc<str>, out: &mut Vec<Event>) {
        for (label, tally) in self.tallies.into_iter().filter(|(_, tally)| tally.told > 0) {
            out.push(Event::Occupancy { zone: zone.clone(), label, count: 0, before: tally.told });
        }
    }
}

impl Tally {
    fn take(&mut self, frames: usize, count: u32) -> u32 {
        self.counts.push_back(count);
        while self.counts.len() < frames {
            self.counts.push_front(self.told);
        }
        self.counts.drain(..self.counts.len().saturating_sub(frames));
        let mut sorted: Vec<u32> = self.counts.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(0)
    }
}

#[cfg(test)]
#[path = "occupancy_tests.rs"]
mod tests;
