//! Who goes over a line.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Event;
use super::settings::{Label, Line};
use super::shape::{Point, Segment, point};
use super::thing::{Filter, Thing};

/// A line with all that is known of it.
///
/// A track is on one side of the line until it was seen further than `jitter` on the other. It has crossed if on its way it
/// passed between the line's ends, from sight to sight as straight as the crow flies; otherwise it went round them.
#[derive(Debug)]
pub(super) struct Gate {
    pub name: Arc<str>,
    pub rule: Line,
    segment: Segment,
    filter: Filter,
    trails: BTreeMap<u64, Trail>,
    /// Forward and backward, by name.
    counts: BTreeMap<Arc<str>, [u64; 2]>,
}

/// How a track moved of late.
#[derive(Debug)]
struct Trail {
    /// Whether it is on the line's right side.
    right: bool,
    /// Ways through the line to the right less those to the left since it has been on that side.
    through: i32,
    last: Point,
}

impl Gate {
    pub fn new(rule: &Line, labels: &Arc<[Label]>) -> Self {
        Self {
            name: rule.name.as_str().into(),
            segment: Segment::new(point(rule.from), point(rule.to)),
            filter: Filter::new(&rule.labels, 0.0, labels),
            rule: rule.clone(),
            trails: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Takes over what the line of the same name knows: counts, and who is where if it stands in the same place.
    pub fn inherit(&mut self, old: Self) {
        self.counts = old.counts;
        if self.segment == old.segment && self.rule.anchor == old.rule.anchor {
            self.trails = old.trails;
        }
    }

    /// Who crossed. A track that is lost behind the line, be it by less than `jitter`, has crossed it.
    pub fn look(&mut self, things: &BTreeMap<u64, Thing>, out: &mut Vec<Event>) {
        for (&track, thing) in things {
            let anchor = thing.anchor(self.rule.anchor);
            let crossed = if thing.gone {
                self.trails.remove(&track).is_some_and(|trail| trail.is_behind(&self.segment))
            } else {
                thing.seen && self.step(track, anchor)
            };
            if crossed {
                self.tell(track, thing, self.segment.has_right(anchor), out);
            }
        }
    }

    /// Forgets where tracks are, for they are seen elsewhere from now on. Who is behind the line has crossed it.
    pub fn restart(&mut self, things: &BTreeMap<u64, Thing>, out: &mut Vec<Event>) {
        for (track, trail) in std::mem::take(&mut self.trails) {
            if let Some(thing) = things.get(&track).filter(|_| trail.is_behind(&self.segment)) {
                self.tell(track, thing, self.segment.has_right(trail.last), out);
            }
        }
    }

    /// Follows a track to where it was seen; whether it has crossed.
    fn step(&mut self, track: u64, p: Point) -> bool {
        let right = self.segment.has_right(p);
        let trail = self.trails.entry(track).or_insert(Trail { right, through: 0, last: p });
        trail.through +=
            self.segment.crossed(trail.last, p).map_or(0, |forward| if forward { 1 } else { -1 });
        trail.last = p;
        if self.segment.distance_of_line(p) <= f64::from(self.rule.jitter) {
            return false;
        }
        let crossed = trail.is_behind(&self.segment);
        (trail.right, trail.through) = (right, 0);
        crossed
    }

    fn tell(&mut self, track: u64, thing: &Thing, forward: bool, out: &mut Vec<Event>) {
        if !self.filter.takes(thing) {
            return;
        }
        let counts = self.counts.entry(thing.label.clone()).or_default();
        let [forwards, backwards] = counts;
        *(if forward { forwards } else { backwards }) += 1;
        let [forwards, backwards] = *counts;
        let (line, label) = (self.name.clone(), thing.label.clone());
        out.push(Event::Cross { line, track, label, forward, forwards, backwards });
    }
}

impl Trail {
    /// Whether it was last seen on the other side, and went there through the line.
    fn is_behind(&self, segment: &Segment) -> bool {
        let right = segment.has_right(self.last);
        right != self.right && (if right { self.through > 0 } else { self.through < 0 })
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
