//! The plainest tracker there is, to compare with: the box of the frame before, greedily by IoU.

use std::time::Duration;

use crate::geometry::Rect;
use crate::track::Observation;

struct Thing {
    id: u64,
    rect: Rect,
    hits: u32,
    last: Duration,
}

/// Sure observations join the thing that they overlap most; the life of a thing is as in the real tracker.
pub(crate) struct Greedy {
    things: Vec<Thing>,
    ids: u64,
}

impl Greedy {
    pub(crate) const fn new() -> Self {
        Self { things: Vec::new(), ids: 0 }
    }

    /// Confirmed things that are seen in this frame.
    pub(crate) fn update(&mut self, clock: Duration, observations: &[Observation]) -> Vec<(u64, Rect)> {
        let sure: Vec<&Observation> = observations.iter().filter(|o| o.confident).collect();
        let mut pairs = Vec::new();
        for (i, thing) in self.things.iter().enumerate() {
            let ious = sure.iter().enumerate().map(|(j, o)| (thing.rect.iou(&o.rect), i, j));
            pairs.extend(ious.filter(|pair| pair.0 >= 0.2));
        }
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut matched, mut taken) = (vec![false; self.things.len()], vec![false; sure.len()]);
        for (_, i, j) in pairs {
            if !matched[i] && !taken[j] {
                (matched[i], taken[j]) = (true, true);
                let thing = &mut self.things[i];
                (thing.rect, thing.last, thing.hits) = (sure[j].rect, clock, thing.hits + 1);
            }
        }
        self.things.retain(|t| t.last == clock || t.hits >= 3 && clock - t.last <= Duration::from_secs(2));
        for o in sure.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(o, _)| o) {
            self.ids += 1;
            self.things.push(Thing { id: self.ids, rect: o.rect, hits: 1, last: clock });
        }
        let seen = self.things.iter().filter(|t| t.hits >= 3 && t.last == clock);
        seen.map(|t| (t.id, t.rect)).collect()
    }
}
