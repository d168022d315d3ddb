//! One source's memory from frame to frame: tracks, events, rates, when it is looked at next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::capture::Faults;
use super::plan::Plan;
use super::seen::Seen;
use super::stats::Stats;
use super::still::Thumbnail;
use crate::error::{Error, Result};
use crate::events::{Engine, Event, Outline, Scene};
use crate::frame::Frame;
use crate::source::CapturedFrame;
use crate::track::{Track, Tracker};

/// Longest time for which a still scene is not looked at.
const STILL: Duration = Duration::from_secs(10);

/// What is known of a source.
pub struct Feed {
    /// What results call it.
    pub name: Arc<str>,
    /// What went wrong.
    pub faults: Arc<Faults>,
    /// Rates and latencies.
    pub stats: Stats,
    tracker: Tracker,
    engine: Engine,
    /// When the first frame was taken.
    first: Option<Instant>,
    /// The next look, on the source's own clock.
    due: Duration,
    /// When it was served last, on the clock of all.
    served: Option<Instant>,
    size: Option<(u32, u32)>,
    last: Option<(Duration, Thumbnail)>,
    seen: Seen,
}

impl Feed {
    /// A source that nothing has come from yet; `index` is its place in `plan`.
    ///
    /// # Errors
    /// Settings that contradict themselves.
    pub fn new(name: Arc<str>, faults: Arc<Faults>, plan: &Plan, index: usize) -> Result<Self> {
        let events = plan.events.get(index).ok_or_else(|| Error::Internal(format!("no source {index}")))?;
        Ok(Self {
            name,
            faults,
            stats: Stats::default(),
            tracker: Tracker::new(plan.track.clone())?,
            engine: Engine::new(events)?,
            first: None,
            due: Duration::ZERO,
            served: None,
            size: None,
            last: None,
            seen: Seen::default(),
        })
    }

    /// Takes another plan; tracks and what zones of the same name know stay.
    ///
    /// # Errors
    /// Settings that contradict themselves.
    pub fn reload(&mut self, plan: &Plan, index: usize) -> Result<()> {
        let events = plan.events.get(index).ok_or_else(|| Error::Internal(format!("no source {index}")))?;
        self.tracker.set_settings(plan.track.clone())?;
        self.engine.reload(events)?;
        self.last = None;
        Ok(())
    }

    /// The shot's time since the source's first frame, or in its recording if it waits.
    pub fn clock(&self, shot: &CapturedFrame, waits: bool) -> Duration {
        let recorded = shot.media_time.filter(|_| waits);
        let first = self.first.unwrap_or(shot.taken);
        recorded.unwrap_or_else(|| shot.taken.saturating_duration_since(first))
    }

    /// Whether the next look is due at `clock`.
    pub fn is_due(&self, clock: Duration) -> bool {
        clock >= self.due
    }

    /// When it was served last.
    pub fn served(&self) -> Option<Instant> {
        self.served
    }

    /// Notes that a shot, taken at `taken`, is looked at, and that the next look shall be `period` later: from when this one was
    /// due, so that rates are held in the mean, unless that is past already.
    pub fn serve(&mut self, clock: Duration, taken: Instant, period: Duration) {
        self.first.get_or_insert(taken);
        self.served = Some(Instant::now());
        self.due = (self.due + period).max(clock);
    }

    /// Whether nothing has moved since the last look, which is not too long ago.
    pub fn is_still(&self, clock: Duration, thumbnail: &Thumbnail) -> bool {
        let recent = |(then, before): &(Duration, Thumbnail)| {
            clock.saturating_sub(*then) < STILL && !thumbnail.differs(before)
        };
        self.last.as_ref().is_some_and(recent)
    }

    /// Takes what a look has found.
    pub fn looked(&mut self, clock: Duration, thumbnail: Option<Thumbnail>, seen: Seen) {
        self.last = thumbnail.map(|thumbnail| (clock, thumbnail));
        self.seen = seen;
    }

    /// What was found by the last look.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Follows what the last look found to a frame of this time and size: tracks, and what happened.
    pub fn follow(&mut self, clock: Duration, frame: &Frame<'_>) -> (Vec<Track>, Vec<Event>) {
        self.fit((frame.width, frame.height));
        let update = self.tracker.update(clock, &self.seen.observations());
        let scene = Scene {
            clock,
            width: frame.width,
            height: frame.height,
            tracks: &update.tracks,
            tags: &self.seen.scene,
            states: &self.seen.states,
            looked: true,
        };
        let mut events = Vec::new();
        self.engine.update(&scene, &mut events);
        (update.tracks, events)
    }

    /// Where tracks are expected in a frame that is not looked at, and what happens there.
    pub fn predict(&mut self, clock: Duration, frame: &Frame<'_>) -> (Vec<Track>, Vec<Event>) {
        self.fit((frame.width, frame.height));
        let tracks = self.tracker.predict(clock);
        let scene = Scene {
            clock,
            width: frame.width,
            height: frame.height,
            tracks: &tracks,
            tags: &[],
            states: &[],
            looked: false,
        };
        let mut events = Vec::new();
        self.engine.update(&scene, &mut events);
        (tracks, events)
    }

    /// Zones and lines as they are drawn.
    pub fn outlines(&self) -> Arc<[Outline]> {
        self.engine.outlines()
    }

    /// Tracks keep their places in the picture when its size changes.
    fn fit(&mut self, size: (u32, u32)) {
        if let Some(before) = self.size.replace(size)
            && before != size
        {
            self.tracker.resize(before, size);
        }
    }
}
