//! The tracker: turns the observations of successive frames into tracks.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::geometry::Rect;

use super::association::associate;
use super::target::{Target, is_part};
use super::{Observation, Settings, Track, Update};

/// Consecutive frames that an unconfirmed target may miss.
const UNCONFIRMED_MISSES: u32 = 1;
/// So many times as often as others must be seen what lies in a larger track of its name: a child in front of its mother is,
/// and no part of a cat.
const PATIENCE: u32 = 5;

/// Tracks the objects of one source. Deterministic: the same input gives the same output.
#[derive(Debug, Clone)]
pub(crate) struct Tracker {
    settings: Settings,
    /// In order of first sighting.
    targets: Vec<Target>,
    /// Time of the last processed frame.
    clock: Duration,
    /// The last id assigned.
    last_id: u64,
}

impl Tracker {
    /// A tracker without any tracks.
    ///
    /// # Errors
    /// Same as [`Settings::check`].
    pub(crate) fn new(settings: Settings) -> Result<Self> {
        settings.check()?;
        Ok(Self { settings, targets: Vec::new(), clock: Duration::ZERO, last_id: 0 })
    }

    /// Replaces the settings; tracks stay.
    ///
    /// # Errors
    /// Same as [`Settings::check`]; the old settings then stay.
    pub(crate) fn set_settings(&mut self, settings: Settings) -> Result<()> {
        settings.check()?;
        self.settings = settings;
        Ok(())
    }

    /// Processes the observations of a frame taken at `clock`. A clock that goes back counts
    /// as standing still.
    pub(crate) fn update(&mut self, clock: Duration, observations: &[Observation]) -> Update {
        self.update_seen(clock, observations, |_| true)
    }

    /// The same for a frame of which not every part was looked at: a target that is not seen where nobody
    /// looked, which `looked` says of the box where it is expected, waits as if there had been no such frame.
    pub(crate) fn update_seen(
        &mut self,
        clock: Duration,
        observations: &[Observation],
        looked: impl Fn(&Rect) -> bool,
    ) -> Update {
        let clock = clock.max(self.clock);
        let step = (clock - self.clock).as_secs_f64();
        self.clock = clock;
        for target in &mut self.targets {
            target.motion.predict(step, target.misses > 0, &self.settings);
            target.waits = !looked(&target.motion.rect());
            if !target.waits {
                target.misses = target.misses.saturating_add(1);
            }
        }
        let rest = associate(&mut self.targets, clock, observations, &self.settings);
        self.targets.extend(rest.into_iter().filter_map(|seen| Target::new(clock, seen, &self.settings)));
        let appeared = self.confirm();
        let lost = self.remove_lost(clock);
        let tracks =
            self.targets.iter().filter_map(|t| t.report(clock, &t.motion, t.misses == 0 && !t.waits));
        Update { tracks: sorted_by_id(tracks.collect()), appeared, lost }
    }

    /// The confirmed tracks as they are expected at `clock`, for a frame without detection. Changes nothing.
    pub(crate) fn predict(&self, clock: Duration) -> Vec<Track> {
        let clock = clock.max(self.clock);
        let ahead = (clock - self.clock).as_secs_f64();
        let expected = self.targets.iter().filter_map(|target| {
            let mut motion = target.motion.clone();
            motion.predict(ahead, target.misses > 0, &self.settings);
            target.report(clock, &motion, false)
        });
        sorted_by_id(expected.collect())
    }

    /// Where all targets are expected at `clock`, confirmed or not. Changes nothing.
    pub(crate) fn expected(&self, clock: Duration) -> Vec<Rect> {
        let ahead = (clock.max(self.clock) - self.clock).as_secs_f64();
        let expected = self.targets.iter().map(|target| {
            let mut motion = target.motion.clone();
            motion.predict(ahead, target.misses > 0, &self.settings);
            motion.rect()
        });
        expected.collect()
    }

    /// Rescales tracks when the picture's size changes from `before` to `after` (width, height).
    pub(crate) fn resize(&mut self, before: (u32, u32), after: (u32, u32)) {
        let factor = |before: u32, after: u32| f64::from(after.max(1)) / f64::from(before.max(1));
        let (x, y) = (factor(before.0, after.0), factor(before.1, after.1));
        for target in &mut self.targets {
            target.motion.scale(x, y);
        }
    }

    /// Assigns ids to targets that were seen often enough, much more often if they may be parts of others, and returns the
    /// ids.
    fn confirm(&mut self) -> Vec<u64> {
        let before = self.last_id;
        let often = self.settings.confirm_hits;
        let whole = |t: &Target| {
            let label = t.label().filter(|_| t.id.is_some() || t.hits >= often)?;
            Some((label.clone(), t.motion.rect()))
        };
        let wholes: Vec<(Arc<str>, Rect)> = self.targets.iter().filter_map(whole).collect();
        let may_be_part = |t: &Target| {
            let rect = t.motion.rect();
            wholes.iter().any(|(label, whole)| t.label() == Some(label) && is_part(&rect, whole))
        };
        let patient = PATIENCE.saturating_mul(often);
        let ready =
            |t: &&mut Target| t.id.is_none() && t.hits >= often && (t.hits >= patient || !may_be_part(t));
        for target in self.targets.iter_mut().filter(ready) {
            self.last_id += 1;
            target.id = Some(self.last_id);
        }
        (before + 1..=self.last_id).collect()
    }

    /// Drops targets that were out of sight for too long (unconfirmed ones almost at once), and returns
    /// the confirmed ones.
    fn remove_lost(&mut self, clock: Duration) -> Vec<Track> {
        let limit = Duration::from_secs_f32(self.settings.lost_seconds);
        let mut lost = Vec::new();
        self.targets.retain(|target| {
            let stays = match target.id {
                Some(_) => target.misses == 0 || clock.saturating_sub(target.last_seen) <= limit,
                None => target.misses <= UNCONFIRMED_MISSES,
            };
            if !stays {
                lost.extend(target.final_report());
            }
            stays
        });
        sorted_by_id(lost)
    }
}

/// Targets are in order of first sighting, which need not be the order of confirmation.
fn sorted_by_id(mut tracks: Vec<Track>) -> Vec<Track> {
    tracks.sort_by_key(|track| track.id);
    tracks
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
