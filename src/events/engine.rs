//! Evaluates all zones, lines and tags of one source.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::line::LineCounter;
use super::object::TrackedObject;
use super::settings::{Label, Settings};
use super::tags::TagMonitor;
use super::zone::ZoneMonitor;
use super::{Event, FrameTime, Outline};
use crate::error::Result;
use crate::track::Track;

/// What one frame shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// Time since the source's first frame. If it jumps back, time is taken to continue from there.
    pub clock: Duration,
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// All confirmed tracks that are not lost, seen or not. A track that is missing here has been lost.
    pub tracks: &'a [Track],
    /// Probability of every tag, reported or not, always in the same order; empty if the
    /// detector did not run.
    pub tags: &'a [(Arc<str>, f32)],
    /// Indices of zones in [`Settings::zones`] with the probabilities of their prompts, for zones
    /// that were evaluated.
    pub states: &'a [(usize, Vec<f32>)],
    /// Whether the detector ran on this frame. If not, tracks are predicted, and what was visible before
    /// counts as still there.
    pub looked: bool,
}

/// A zone whose state must be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StateZone {
    /// Its index in [`Settings::zones`].
    pub zone: usize,
    /// Its bounding box `[x0, y0, x1, y1]` in fractions of the picture's width and height.
    pub rect: [f32; 4],
    /// For each prompt, the name that is printed and the text that is embedded.
    pub prompts: Vec<(Arc<str>, String)>,
}

/// Turns the tracks and probabilities of one source into events. `docs/events.md` defines each of them.
#[derive(Debug)]
pub(crate) struct Engine {
    median_frames: usize,
    zones: Vec<ZoneMonitor>,
    lines: Vec<LineCounter>,
    tags: TagMonitor,
    objects: BTreeMap<u64, TrackedObject>,
    outlines: Arc<[Outline]>,
    /// Sum of all steps forward, and the clock of the last frame.
    now: Duration,
    clock: Duration,
    size: (u32, u32),
    /// Events of zones that a reload removed, reported by the next update.
    pending: Vec<Event>,
}

impl Engine {
    /// An engine for what `settings` describe.
    ///
    /// # Errors
    /// Same as [`Settings::check`].
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        settings.check()?;
        let labels: Arc<[Label]> = settings.labels.as_slice().into();
        let mut engine = Self {
            median_frames: settings.occupancy.frames,
            zones: settings.zones.iter().map(|rule| ZoneMonitor::new(rule, &labels)).collect(),
            lines: settings.lines.iter().map(|rule| LineCounter::new(rule, &labels)).collect(),
            tags: TagMonitor::new(&settings.scene, &labels),
            objects: BTreeMap::new(),
            outlines: Arc::from([]),
            now: Duration::ZERO,
            clock: Duration::ZERO,
            size: (0, 0),
            pending: Vec::new(),
        };
        engine.rebuild_outlines();
        Ok(engine)
    }

    /// Replaces the settings. Zones and lines that keep their name keep their state; all objects leave zones
    /// that were removed, which the next update reports.
    ///
    /// # Errors
    /// Same as [`Settings::check`]; the old settings then stay.
    pub(crate) fn reload(&mut self, settings: &Settings) -> Result<()> {
        let old = std::mem::replace(self, Self::new(settings)?);
        (self.objects, self.pending) = (old.objects, old.pending);
        (self.now, self.clock, self.size) = (old.now, old.clock, old.size);
        self.tags.inherit(old.tags);
        for zone in old.zones {
            match self.zones.iter_mut().find(|new| new.name == zone.name) {
                Some(new) => new.inherit(zone),
                None => zone.close(&mut self.pending),
            }
        }
        for line in old.lines {
            if let Some(new) = self.lines.iter_mut().find(|new| new.name == line.name) {
                new.inherit(line);
            }
        }
        self.rebuild_outlines();
        Ok(())
    }

    /// Appends to `out` the events of the next frame.
    pub(crate) fn update(&mut self, scene: &Scene<'_>, out: &mut Vec<Event>) {
        out.append(&mut self.pending);
        let step = scene.clock.saturating_sub(self.clock);
        self.clock = scene.clock;
        self.now = self.now.saturating_add(step);
        let time = FrameTime { now: self.now, step };
        self.update_size(scene, out);
        self.update_objects(scene, out);
        for zone in &mut self.zones {
            zone.update(self.now, &self.objects, out);
            if scene.looked {
                zone.count(self.median_frames, &self.objects, out);
            }
        }
        self.lines.iter_mut().for_each(|line| line.update(&self.objects, out));
        self.remove_lost(out);
        self.update_states(time, scene.states, out);
        self.tags.update(time, scene.tags, out);
    }

    /// Zones and lines for drawing; the same slice until a state changes or settings are reloaded.
    pub(crate) fn outlines(&self) -> Arc<[Outline]> {
        self.outlines.clone()
    }

    /// Zones whose states must be evaluated in every frame on which the detector runs.
    pub(crate) fn state_zones(&self) -> Vec<StateZone> {
        let monitors = self.zones.iter().enumerate();
        monitors
            .map(|(zone, monitor)| StateZone {
                zone,
                rect: bounds(&monitor.rule.corners()),
                prompts: monitor.state.prompts().collect(),
            })
            .filter(|zone| !zone.prompts.is_empty())
            .collect()
    }

    /// A picture with another aspect ratio shows another view, in which nothing has moved. One without
    /// pixels is ignored.
    fn update_size(&mut self, scene: &Scene<'_>, out: &mut Vec<Event>) {
        let (old, new) = (self.size, (scene.width, scene.height));
        if new.0 == 0 || new.1 == 0 {
            return;
        }
        self.size = new;
        if u64::from(old.0) * u64::from(new.1) != u64::from(old.1) * u64::from(new.0) {
            self.lines.iter_mut().for_each(|line| line.forget_positions(&self.objects, out));
        }
    }

    /// Updates what is known of tracks to this frame.
    fn update_objects(&mut self, scene: &Scene<'_>, out: &mut Vec<Event>) {
        self.objects.values_mut().for_each(|object| (object.gone, object.seen) = (true, false));
        for track in scene.tracks {
            let object = self.objects.entry(track.id).or_insert_with(|| {
                out.push(Event::Appear { track: track.id, label: track.label.clone() });
                TrackedObject::new(track)
            });
            object.update(track, (scene.width, scene.height), scene.looked, self.median_frames);
        }
    }

    /// Forgets tracks that are lost.
    fn remove_lost(&mut self, out: &mut Vec<Event>) {
        self.objects.retain(|track, object| {
            if object.gone {
                let (label, stayed) = (object.label.clone(), object.stayed);
                out.push(Event::Disappear { track: *track, label, stayed });
            }
            !object.gone
        });
    }

    /// Updates the states of zones.
    fn update_states(&mut self, time: FrameTime, states: &[(usize, Vec<f32>)], out: &mut Vec<Event>) {
        let before = out.len();
        for (i, zone) in self.zones.iter_mut().enumerate() {
            let probabilities = states.iter().find(|(zone, _)| *zone == i).map(|(_, p)| p.as_slice());
            out.extend(zone.state.update((&zone.name, &zone.rule), time, probabilities));
        }
        if out.len() > before {
            self.rebuild_outlines();
        }
    }

    fn rebuild_outlines(&mut self) {
        let zones = self.zones.iter().map(|zone| Outline {
            name: zone.name.clone(),
            points: zone.rule.corners(),
            closed: true,
            state: zone.state.current().cloned(),
        });
        let lines = self.lines.iter().map(|line| Outline {
            name: line.name.clone(),
            points: vec![line.rule.from, line.rule.to],
            closed: false,
            state: None,
        });
        self.outlines = zones.chain(lines).collect();
    }
}

fn bounds(corners: &[[f32; 2]]) -> [f32; 4] {
    let start = [f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
    corners.iter().fold(start, |[x0, y0, x1, y1], [x, y]| [x0.min(*x), y0.min(*y), x1.max(*x), y1.max(*y)])
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "walk_tests.rs"]
mod walk_tests;
