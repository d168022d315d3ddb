//! All that is watched in one source.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::line::Gate;
use super::settings::{Label, Settings};
use super::tags::Tagger;
use super::thing::Thing;
use super::zone::Watch;
use super::{Event, Outline};
use crate::error::Result;
use crate::track::Track;

/// What one frame showed.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// Time since the source's first frame. Where it jumps back, it is taken to go on from there.
    pub clock: Duration,
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// All confirmed tracks that are not lost, seen or not. One that is missing has been lost.
    pub tracks: &'a [Track],
    /// Probability of every tag, reported or not, always in the same order; empty where the frame was not looked at.
    pub tags: &'a [(Arc<str>, f32)],
    /// Places of zones in [`Settings::zones`] with the probabilities of their prompts, where these were asked for.
    pub states: &'a [(usize, Vec<f32>)],
    /// Whether the frame was looked at; otherwise tracks are predicted, and what was there before still is.
    pub looked: bool,
}

/// A zone whose state is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct StateZone {
    /// Its place in [`Settings::zones`].
    pub zone: usize,
    /// The smallest rectangle around it, `[x0, y0, x1, y1]` in fractions of the picture's width and height.
    pub rect: [f32; 4],
    /// What is printed and what is embedded.
    pub prompts: Vec<(Arc<str>, String)>,
}

/// Turns tracks and probabilities of one source into events. `docs/events.md` says what each means.
#[derive(Debug)]
pub struct Engine {
    frames: usize,
    zones: Vec<Watch>,
    lines: Vec<Gate>,
    tags: Tagger,
    things: BTreeMap<u64, Thing>,
    outlines: Arc<[Outline]>,
    /// Sum of all steps forward, and the last frame's clock.
    now: Duration,
    clock: Duration,
    size: (u32, u32),
    /// What there is to say of zones that a reload took away.
    farewell: Vec<Event>,
}

impl Engine {
    /// Watches for what `settings` say.
    ///
    /// # Errors
    /// Those of [`Settings::check`].
    pub fn new(settings: &Settings) -> Result<Self> {
        settings.check()?;
        let labels: Arc<[Label]> = settings.labels.as_slice().into();
        let mut engine = Self {
            frames: settings.occupancy.frames,
            zones: settings.zones.iter().map(|rule| Watch::new(rule, &labels)).collect(),
            lines: settings.lines.iter().map(|rule| Gate::new(rule, &labels)).collect(),
            tags: Tagger::new(&settings.scene, &labels),
            things: BTreeMap::new(),
            outlines: Arc::from([]),
            now: Duration::ZERO,
            clock: Duration::ZERO,
            size: (0, 0),
            farewell: Vec::new(),
        };
        engine.draw();
        Ok(engine)
    }

    /// Watches for other things from now on. Zones and lines that keep their name keep what they know; of zones that are
    /// no more everything leaves, which the next update tells.
    ///
    /// # Errors
    /// Those of [`Settings::check`]; then nothing has changed.
    pub fn reload(&mut self, settings: &Settings) -> Result<()> {
        let old = std::mem::replace(self, Self::new(settings)?);
        (self.things, self.farewell) = (old.things, old.farewell);
        (self.now, self.clock, self.size) = (old.now, old.clock, old.size);
        self.tags.inherit(old.tags);
        for zone in old.zones {
            match self.zones.iter_mut().find(|new| new.name == zone.name) {
                Some(new) => new.inherit(zone),
                None => zone.close(&mut self.farewell),
            }
        }
        for line in old.lines {
            if let Some(new) = self.lines.iter_mut().find(|new| new.name == line.name) {
                new.inherit(line);
            }
        }
        self.draw();
        Ok(())
    }

    /// Adds to `out` what happened in the next frame.
    pub fn update(&mut self, scene: &Scene<'_>, out: &mut Vec<Event>) {
        out.append(&mut self.farewell);
        let step = scene.clock.saturating_sub(self.clock);
        self.clock = scene.clock;
        self.now = self.now.saturating_add(step);
        let time = (self.now, step);
        self.resize(scene, out);
        self.follow(scene, out);
        for zone in &mut self.zones {
            zone.look(self.now, &self.things, out);
            if scene.looked {
                zone.count(self.frames, &self.things, out);
            }
        }
        self.lines.iter_mut().for_each(|line| line.look(&self.things, out));
        self.part(out);
        self.show(time, scene.states, out);
        self.tags.look(time, scene.tags, out);
    }

    /// Zones and lines as they are drawn; the same until a state changes or settings are reloaded.
    pub fn outlines(&self) -> Arc<[Outline]> {
        self.outlines.clone()
    }

    /// Zones whose states are asked for in every frame that is looked at.
    pub fn state_zones(&self) -> Vec<StateZone> {
        let watched = self.zones.iter().enumerate();
        watched
            .map(|(zone, watch)| StateZone {
                zone,
                rect: bounds(&watch.rule.corners()),
                prompts: watch.display.prompts().collect(),
            })
            .filter(|zone| !zone.prompts.is_empty())
            .collect()
    }

    /// A picture of other proportions shows something else, in which nothing has moved. One without pixels shows nothing.
    fn resize(&mut self, scene: &Scene<'_>, out: &mut Vec<Event>) {
        let (old, new) = (self.size, (scene.width, scene.height));
        if new.0 == 0 || new.1 == 0 {
            return;
        }
        self.size = new;
        if u64::from(old.0) * u64::from(new.1) != u64::from(old.1) * u64::from(new.0) {
            self.lines.iter_mut().for_each(|line| line.restart(&self.things, out));
        }
    }

    /// Brings what is known of tracks up to this frame.
    fn follow(&mut self, scene: &Scene<'_>, out: &mut Vec<Event>) {
        self.things.values_mut().for_each(|thing| (thing.gone, thing.seen) = (true, false));
        for track in scene.tracks {
            let thing = self.things.entry(track.id).or_insert_with(|| {
                out.push(Event::Appear { track: track.id, label: track.label.clone() });
                Thing::new(track)
            });
            thing.follow(track, (scene.width, scene.height), scene.looked, self.frames);
        }
    }

    /// Forgets tracks that are lost.
    fn part(&mut self, out: &mut Vec<Event>) {
        self.things.retain(|track, thing| {
            if thing.gone {
                let (label, stayed) = (thing.label.clone(), thing.stayed);
                out.push(Event::Disappear { track: *track, label, stayed });
            }
            !thing.gone
        });
    }

    /// States of zones.
    fn show(&mut self, time: (Duration, Duration), states: &[(usize, Vec<f32>)], out: &mut Vec<Event>) {
        let before = out.len();
        for (i, zone) in self.zones.iter_mut().enumerate() {
            let probabilities = states.iter().find(|(zone, _)| *zone == i).map(|(_, p)| p.as_slice());
            out.extend(zone.display.look((&zone.name, &zone.rule), time, probabilities));
        }
        if out.len() > before {
            self.draw();
        }
    }

    fn draw(&mut self) {
        let zones = self.zones.iter().map(|zone| Outline {
            name: zone.name.clone(),
            points: zone.rule.corners(),
            closed: true,
            state: zone.display.shown().cloned(),
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
