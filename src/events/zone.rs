//! Who is in a zone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Event;
use super::occupancy::Crowd;
use super::settings::{Label, Zone};
use super::shape::Polygon;
use super::state::Display;
use super::thing::{Filter, Thing};

/// A zone with all that is known of it.
///
/// A thing enters when its anchor is inside and it counts; it leaves when it is lost, or further outside than `jitter`. In
/// between it stays where it was, so that no jitter below that distance tells anything twice.
#[derive(Debug)]
pub(super) struct Watch {
    pub name: Arc<str>,
    pub rule: Zone,
    pub display: Display,
    polygon: Polygon,
    filter: Filter,
    visits: BTreeMap<u64, Visit>,
    crowd: Crowd,
}

/// A track's stay.
#[derive(Debug)]
struct Visit {
    /// The track's name when it came, which all events of the visit tell.
    label: Arc<str>,
    since: Duration,
    /// When it was last known to be there.
    until: Duration,
    dwelt: bool,
}

impl Watch {
    pub fn new(rule: &Zone, labels: &Arc<[Label]>) -> Self {
        Self {
            name: rule.name.as_str().into(),
            polygon: Polygon::new(&rule.corners()),
            filter: Filter::new(&rule.labels, rule.min_area, labels),
            display: Display::new(rule.states()),
            rule: rule.clone(),
            visits: BTreeMap::new(),
            crowd: Crowd::default(),
        }
    }

    /// Takes over what the zone of the same name knows.
    pub fn inherit(&mut self, old: Self) {
        self.display.inherit(old.display);
        (self.visits, self.crowd) = (old.visits, old.crowd);
    }

    /// Enter, leave and dwell.
    pub fn look(&mut self, now: Duration, things: &BTreeMap<u64, Thing>, out: &mut Vec<Event>) {
        for (&track, thing) in things {
            let away = thing.seen.then(|| self.polygon.distance(thing.anchor(self.rule.anchor)));
            let left = thing.gone || away.is_some_and(|away| away > f64::from(self.rule.jitter));
            if left {
                out.extend(self.visits.remove(&track).map(|visit| visit.leave(&self.name, track)));
                continue;
            }
            if away == Some(0.0) && !self.visits.contains_key(&track) && self.filter.takes(thing) {
                let label = thing.label.clone();
                out.push(Event::Enter { zone: self.name.clone(), track, label: label.clone() });
                self.visits.insert(track, Visit { label, since: now, until: now, dwelt: false });
            }
            let Some(visit) = self.visits.get_mut(&track).filter(|_| thing.visible) else { continue };
            visit.until = now;
            let long = self.rule.dwell.is_some_and(|dwell| visit.stayed().as_secs_f64() >= dwell);
            if long && !visit.dwelt && self.filter.names(&thing.label) {
                visit.dwelt = true;
                let (label, stayed) = (visit.label.clone(), visit.stayed());
                out.push(Event::Dwell { zone: self.name.clone(), track, label, stayed });
            }
        }
    }

    /// Counts who is there by the names that tracks have now; once for every frame that was looked at.
    pub fn count(&mut self, frames: usize, things: &BTreeMap<u64, Thing>, out: &mut Vec<Event>) {
        let mut present: BTreeMap<Arc<str>, u32> = BTreeMap::new();
        for thing in self.visits.keys().filter_map(|track| things.get(track)) {
            if self.filter.names(&thing.label) {
                *present.entry(thing.label.clone()).or_default() += 1;
            }
        }
        self.crowd.take(&self.name, frames, present, out);
    }

    /// Everybody leaves: the zone is no more.
    pub fn close(self, out: &mut Vec<Event>) {
        out.extend(self.visits.into_iter().map(|(track, visit)| visit.leave(&self.name, track)));
        self.crowd.close(&self.name, out);
    }
}

impl Visit {
    fn stayed(&self) -> Duration {
        self.until.saturating_sub(self.since)
    }

    fn leave(self, zone: &Arc<str>, track: u64) -> Event {
        let stayed = self.stayed();
        Event::Leave { zone: zone.clone(), track, label: self.label, stayed }
    }
}

#[cfg(test)]
#[path = "zone_tests.rs"]
mod tests;
