//! Which objects cross a line.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Event;
use super::object::{Filter, TrackedObject};
use super::settings::{Label, Line};
use super::shape::{Point, Segment, point};

/// A line and the state of all tracks relative to it.
///
/// A track is on one side of the line until it is seen further than `jitter` on the other side. It has
/// crossed if on its way there it passed between the line's ends, assuming straight motion from one sighting
/// to the next; otherwise it went round them.
#[derive(Debug)]
pub(super) struct LineCounter {
    pub name: Arc<str>,
    pub rule: Line,
    segment: Segment,
    filter: Filter,
    trails: BTreeMap<u64, Trail>,
    /// Forward and backward crossings by label.
    counts: BTreeMap<Arc<str>, [u64; 2]>,
}

/// Recent movement of a track.
#[derive(Debug)]
struct Trail {
    /// Whether it is on the line's right side.
    right: bool,
    /// Passages through the line to the right minus those to the left, since it has been on that side.
    passages: i32,
    last: Point,
}

impl LineCounter {
    pub(crate) fn new(rule: &Line, labels: &Arc<[Label]>) -> Self {
        Self {
            name: rule.name.as_str().into(),
            segment: Segment::new(point(rule.from), point(rule.to)),
            filter: Filter::new(&rule.labels, 0.0, labels),
            rule: rule.clone(),
            trails: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Takes over the state of an old line of the same name: counts and, if the line has not moved, trails.
    pub(crate) fn inherit(&mut self, old: Self) {
        self.counts = old.counts;
        if self.segment == old.segment && self.rule.anchor == old.rule.anchor {
            self.trails = old.trails;
        }
    }

    /// Reports crossings. A track that is lost beyond the line counts as crossed even within `jitter`.
    pub(crate) fn update(&mut self, objects: &BTreeMap<u64, TrackedObject>, out: &mut Vec<Event>) {
        for (&track, object) in objects {
            let anchor = object.anchor(self.rule.anchor);
            let crossed = if object.gone {
                self.trails.remove(&track).is_some_and(|trail| trail.is_beyond(&self.segment))
            } else {
                object.seen && self.follow(track, anchor)
            };
            if crossed {
                self.report(track, object, self.segment.has_on_right(anchor), out);
            }
        }
    }

    /// Forgets positions, because tracks will be seen elsewhere from now on. Tracks that are beyond the
    /// line have crossed it.
    pub(crate) fn forget_positions(&mut self, objects: &BTreeMap<u64, TrackedObject>, out: &mut Vec<Event>) {
        for (track, trail) in std::mem::take(&mut self.trails) {
            if let Some(object) = objects.get(&track).filter(|_| trail.is_beyond(&self.segment)) {
                self.report(track, object, self.segment.has_on_right(trail.last), out);
            }
        }
    }

    /// Follows a track to where it was seen; returns whether it has crossed.
    fn follow(&mut self, track: u64, p: Point) -> bool {
        let right = self.segment.has_on_right(p);
        let trail = self.trails.entry(track).or_insert(Trail { right, passages: 0, last: p });
        trail.passages +=
            self.segment.crossed(trail.last, p).map_or(0, |forward| if forward { 1 } else { -1 });
        trail.last = p;
        if self.segment.distance_from_line(p) <= f64::from(self.rule.jitter) {
            return false;
        }
        let crossed = trail.is_beyond(&self.segment);
        (trail.right, trail.passages) = (right, 0);
        crossed
    }

    fn report(&mut self, track: u64, object: &TrackedObject, forward: bool, out: &mut Vec<Event>) {
        if !self.filter.accepts(object) {
            return;
        }
        let counts = self.counts.entry(object.label.clone()).or_default();
        let [forwards, backwards] = counts;
        *(if forward { forwards } else { backwards }) += 1;
        let [forwards, backwards] = *counts;
        let (line, label) = (self.name.clone(), object.label.clone());
        out.push(Event::Cross { line, track, label, forward, forwards, backwards });
    }
}

impl Trail {
    /// Whether it was last seen on the other side and got there through the line.
    fn is_beyond(&self, segment: &Segment) -> bool {
        let right = segment.has_on_right(self.last);
        right != self.right && (if right { self.passages > 0 } else { self.passages < 0 })
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
