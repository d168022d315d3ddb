//! How many objects of each name are in a zone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Event;

/// Counts by name, each the median of the last frames.
#[derive(Debug, Default)]
pub(super) struct OccupancyCounter {
    tallies: BTreeMap<Arc<str>, Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    /// Newest last; missing history counts as the reported count.
    recent: VecDeque<u32>,
    reported: u32,
}

impl OccupancyCounter {
    /// Adds the counts of one frame; medians are over `frames` of them.
    pub(crate) fn update(
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
            let (count, before) =
                (tally.median(frames, present.get(label).copied().unwrap_or(0)), tally.reported);
            if count != before {
                tally.reported = count;
                out.push(Event::Occupancy { zone: zone.clone(), label: label.clone(), count, before });
            }
        }
        self.tallies.retain(|_, tally| tally.recent.iter().any(|count| *count > 0));
    }

    /// Reports that the zone is now empty.
    pub(crate) fn close(self, zone: &Arc<str>, out: &mut Vec<Event>) {
        for (label, tally) in self.tallies.into_iter().filter(|(_, tally)| tally.reported > 0) {
            out.push(Event::Occupancy { zone: zone.clone(), label, count: 0, before: tally.reported });
        }
    }
}

impl Tally {
    fn median(&mut self, frames: usize, count: u32) -> u32 {
        self.recent.push_back(count);
        while self.recent.len() < frames {
            self.recent.push_front(self.reported);
        }
        self.recent.drain(..self.recent.len().saturating_sub(frames));
        let mut sorted: Vec<u32> = self.recent.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(0)
    }
}

#[cfg(test)]
#[path = "occupancy_tests.rs"]
mod tests;
