//! Which objects are in a zone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Event;
use super::object::{Filter, TrackedObject};
use super::occupancy::OccupancyCounter;
use super::settings::{Label, Zone};
use super::shape::Polygon;
use super::state::StateMonitor;

/// A zone and the objects in it.
///
/// An object enters when its anchor is inside and it counts; it leaves when it is lost, or further outside
/// than `jitter`. In between it stays where it was (hysteresis), so that movement within that distance is
/// not reported twice.
#[derive(Debug)]
pub(super) struct ZoneMonitor {
    pub name: Arc<str>,
    pub rule: Zone,
    pub state: StateMonitor,
    polygon: Polygon,
    filter: Filter,
    visits: BTreeMap<u64, Visit>,
    occupancy: OccupancyCounter,
}

/// A track's stay in a zone.
#[derive(Debug)]
struct Visit {
    /// The track's label on entering, used in all events of the visit.
    label: Arc<str>,
    since: Duration,
    /// When it was last known to be there.
    until: Duration,
    dwelt: bool,
}

impl ZoneMonitor {
    pub(crate) fn new(rule: &Zone, labels: &Arc<[Label]>) -> Self {
        Self {
            name: rule.name.as_str().into(),
            polygon: Polygon::new(&rule.corners()),
            filter: Filter::new(&rule.labels, rule.min_area, labels),
            state: StateMonitor::new(rule.states()),
            rule: rule.clone(),
            visits: BTreeMap::new(),
            occupancy: OccupancyCounter::default(),
        }
    }

    /// Takes over the state of the zone of the same name.
    pub(crate) fn inherit(&mut self, old: Self) {
        self.state.inherit(old.state);
        (self.visits, self.occupancy) = (old.visits, old.occupancy);
    }

    /// Reports enter, leave and dwell.
    pub(crate) fn update(
        &mut self,
        now: Duration,
        objects: &BTreeMap<u64, TrackedObject>,
        out: &mut Vec<Event>,
    ) {
        for (&track, object) in objects {
            let distance = object.seen.then(|| self.polygon.distance(object.anchor(self.rule.anchor)));
            let left = object.gone || distance.is_some_and(|distance| distance > f64::from(self.rule.jitter));
            if left {
                out.extend(self.visits.remove(&track).map(|visit| visit.leave(&self.name, track)));
                continue;
            }
            if distance == Some(0.0) && !self.visits.contains_key(&track) && self.filter.accepts(object) {
                let label = object.label.clone();
                out.push(Event::Enter { zone: self.name.clone(), track, label: label.clone() });
                self.visits.insert(track, Visit { label, since: now, until: now, dwelt: false });
            }
            let Some(visit) = self.visits.get_mut(&track).filter(|_| object.visible) else { continue };
            visit.until = now;
            let long = self.rule.dwell.is_some_and(|dwell| visit.stayed().as_secs_f64() >= dwell);
            if long && !visit.dwelt && self.filter.accepts_label(&object.label) {
                visit.dwelt = true;
                let (label, stayed) = (visit.label.clone(), visit.stayed());
                out.push(Event::Dwell { zone: self.name.clone(), track, label, stayed });
            }
        }
    }

    /// Counts the objects inside by their current labels; called once per frame on which the detector ran.
    pub(crate) fn count(
        &mut self,
        frames: usize,
        objects: &BTreeMap<u64, TrackedObject>,
        out: &mut Vec<Event>,
    ) {
        let mut present: BTreeMap<Arc<str>, u32> = BTreeMap::new();
        for object in self.visits.keys().filter_map(|track| objects.get(track)) {
            if self.filter.accepts_label(&object.label) {
                *present.entry(object.label.clone()).or_default() += 1;
            }
        }
        self.occupancy.update(&self.name, frames, present, out);
    }

    /// All objects leave, because the zone was removed.
    pub(crate) fn close(self, out: &mut Vec<Event>) {
        out.extend(self.visits.into_iter().map(|(track, visit)| visit.leave(&self.name, track)));
        self.occupancy.close(&self.name, out);
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
