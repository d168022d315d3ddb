//! One source's state from frame to frame: tracks, events, rates, when the next look is due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::best_looks::{BestLooks, Looked};
use super::blur::Veil;
use super::crops::Crops;
use super::faults::Faults;
use super::frame_result::FrameResult;
use super::motion_gate::{MotionGate, Thumbnail};
use super::plan::Plan;
use super::stats::Stats;
use super::tiles::Tile;
use crate::error::{Error, Result};
use crate::events::{Engine, Event, Outline, Scene};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::privacy::Masks;
use crate::report::{FeatureRecord, Findings, Sighting};
use crate::source::CapturedFrame;
use crate::track::{Track, Tracker};

/// What is known of a source.
pub(crate) struct SourceState {
    /// What results call it.
    pub name: Arc<str>,
    /// What went wrong.
    pub faults: Arc<Faults>,
    /// Rates and latencies.
    pub stats: Stats,
    /// What is black in its frames.
    pub masks: Masks,
    tracker: Tracker,
    veil: Veil,
    engine: Engine,
    /// When the first frame was captured.
    first: Option<Instant>,
    /// The next look, on the source's own clock.
    due: Duration,
    /// When a frame was last looked at, on the clock shared by all sources.
    served: Option<Instant>,
    size: Option<(u32, u32)>,
    motion: MotionGate,
    crops: Crops,
    /// Of the last look.
    result: FrameResult,
    best: BestLooks,
}

/// Place of a source in the queue for the network; the smallest is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    urgency: Urgency,
    /// The one that has waited longest comes first, one that was never served before all.
    served: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Due,
    NotDue,
}

/// What is asked of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Whether to look at it.
    pub due: bool,
    /// Whether not to if nothing has moved.
    pub skip_still: bool,
    /// The side of the network's input, in pixels.
    pub input: u32,
    /// Whether its picture may be shown only if somebody has looked for what it must not show.
    pub veiled: bool,
}

/// What a frame changed.
pub(crate) struct Step {
    /// Whether the network ran on it.
    pub looked: bool,
    /// What it found; empty if it did not run.
    pub findings: Findings,
    /// Where it looked closely.
    pub crops: Vec<Rect>,
    /// All confirmed tracks.
    pub tracks: Vec<Track>,
    /// What happened.
    pub events: Vec<Event>,
    /// Boxes that pictures must not show, with their margins; `None` if the picture must not be shown at all, since
    /// nobody has looked for them.
    pub hidden: Option<Vec<Rect>>,
    /// What the object of each event looks like, where that is known.
    pub features: Vec<Option<FeatureRecord>>,
    /// What tracks look like that these events are about.
    pub sightings: Vec<Arc<Sighting>>,
    /// How long tracks and events took.
    pub tracking: Duration,
}

impl SourceState {
    /// A source without frames so far; `index` is its place in `plan`.
    ///
    /// # Errors
    /// Settings that contradict each other.
    pub(crate) fn new(name: Arc<str>, faults: Arc<Faults>, plan: &Plan, index: usize) -> Result<Self> {
        let events = plan.events.get(index).ok_or_else(|| Error::bug(format!("no source {index}")))?;
        Ok(Self {
            name,
            faults,
            stats: Stats::default(),
            masks: plan.masks.get(index).cloned().unwrap_or_default(),
            tracker: Tracker::new(plan.track.clone())?,
            veil: Veil::new(&plan.track)?,
            engine: Engine::new(events)?,
            first: None,
            due: Duration::ZERO,
            served: None,
            size: None,
            motion: MotionGate::default(),
            crops: Crops::new(plan.look),
            result: FrameResult::default(),
            best: BestLooks::default(),
        })
    }

    /// Switches to another plan; tracks and the state of zones that keep their name stay.
    ///
    /// # Errors
    /// Settings that contradict each other.
    pub(crate) fn reload(&mut self, plan: &Plan, index: usize) -> Result<()> {
        let events = plan.events.get(index).ok_or_else(|| Error::bug(format!("no source {index}")))?;
        self.masks = plan.masks.get(index).cloned().unwrap_or_default();
        self.tracker.set_settings(plan.track.clone())?;
        self.veil.set_settings(&plan.track)?;
        if plan.blur.is_some() {
            // The last look may have been for other words.
            self.due = Duration::ZERO;
        }
        self.engine.reload(events)?;
        self.motion = MotionGate::default();
        self.crops.set(plan.look);
        Ok(())
    }

    /// The frame's time since the source's first frame, or in its recording if the source waits.
    pub(crate) fn clock(&self, frame: &CapturedFrame, waits: bool) -> Duration {
        let recorded = frame.media_time.filter(|_| waits);
        let first = self.first.unwrap_or(frame.taken);
        recorded.unwrap_or_else(|| frame.taken.saturating_duration_since(first))
    }

    /// Whether the next look is due at `clock`.
    pub(crate) fn is_due(&self, clock: Duration) -> bool {
        clock >= self.due
    }

    /// The source's place among others whose frames wait, this one's since `clock`. A recording, which `waits`, is in the queue with
    /// all of its frames: those between two looks cost little, and the next look lies behind them. Else cameras that are always due
    /// would hold it up for ever.
    pub(crate) fn rank(&self, clock: Duration, waits: bool) -> Rank {
        let urgency = if waits || self.is_due(clock) { Urgency::Due } else { Urgency::NotDue };
        Rank { urgency, served: self.served }
    }

    /// Notes that a frame that was not due was looked at all the same: that is a turn, too.
    pub(crate) fn looked_besides(&mut self) {
        self.served = Some(Instant::now());
    }

    /// Notes that a frame captured at `taken` is looked at, and that the next look is due `period` later:
    /// counted from when this one was due, so that rates hold on average, unless that has passed already.
    pub(crate) fn serve(&mut self, clock: Duration, taken: Instant, period: Duration) {
        self.first.get_or_insert(taken);
        self.served = Some(Instant::now());
        self.due = (self.due + period).max(clock);
    }

    /// Brings tracks and events up to a frame. If `due`, the network runs on it (`look`), or where the scene
    /// stands still and `skip_still` is set, what the last look found counts once more; otherwise tracks are
    /// predicted. Where pictures are `veiled`, one that is not looked at for that is for an event. With `recorded`,
    /// the best look at each track is told.
    ///
    /// # Errors
    /// Those of `look`.
    pub(crate) fn advance(
        &mut self,
        clock: Duration,
        Asked { due, skip_still, input, veiled }: Asked,
        frame: &Frame<'_>,
        recorded: Option<&Looked>,
        look: impl Fn(&[Tile]) -> Result<FrameResult>,
    ) -> Result<Step> {
        let thumbnail = if due && skip_still { Thumbnail::of(frame) } else { None };
        let still = thumbnail.as_ref().is_some_and(|thumbnail| self.motion.is_still(clock, thumbnail));
        let looked = due && !still;
        let mut crops = Vec::new();
        if looked {
            let started = Instant::now();
            crops = self.crops.choose(frame, clock, || self.tracker.expected(clock), input);
            let choosing = started.elapsed();
            self.result = look(&crops)?;
            self.result.findings.timing.preprocess += choosing;
            self.motion.looked(clock, thumbnail);
        }
        self.stats.still += u64::from(still);
        let started = Instant::now();
        self.fit((frame.width, frame.height));
        let tracks = if due {
            let looked = |rect: &Rect| still || self.crops.show(rect, &crops);
            self.tracker.update_seen(clock, &self.result.observations(), looked).tracks
        } else {
            self.tracker.predict(clock)
        };
        let scene = Scene {
            clock,
            width: frame.width,
            height: frame.height,
            tracks: &tracks,
            tags: if due { &self.result.scene } else { &[] },
            states: if due { &self.result.states } else { &[] },
            looked: due,
        };
        let mut events = Vec::new();
        self.engine.update(&scene, &mut events);
        if let Some(recorded) = recorded.filter(|_| looked) {
            self.best.look(recorded, &tracks, &self.result);
        }
        let sightings = self.best.told_by(&events);
        let findings = if looked { self.result.findings.clone() } else { Findings::default() };
        let mut seen = looked;
        if veiled && !looked && !events.is_empty() {
            // Its picture is wanted, and somebody may have come in.
            self.result.hidden = look(&[])?.hidden;
            seen = true;
        }
        let hidden = self.veil.cover(clock, due || seen, &self.result.hidden);
        let hidden = (seen || !veiled).then_some(hidden);
        let features = events.iter().map(|event| self.result.features(event, &tracks)).collect();
        Ok(Step {
            looked,
            findings,
            crops: crops.iter().map(|crop| crop.rect()).collect(),
            tracks,
            events,
            hidden,
            features,
            sightings,
            tracking: started.elapsed(),
        })
    }

    /// Zones and lines as they are drawn.
    pub(crate) fn outlines(&self) -> Arc<[Outline]> {
        self.engine.outlines()
    }

    /// Tracks keep their places in the picture when its size changes.
    fn fit(&mut self, size: (u32, u32)) {
        if let Some(before) = self.size.replace(size)
            && before != size
        {
            self.tracker.resize(before, size);
            self.veil.resize(before, size);
        }
    }
}

#[cfg(test)]
#[path = "source_state_tests.rs"]
mod tests;
