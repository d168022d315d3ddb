//! Between capture threads and the main thread: one slot per source, which holds its newest frame.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::frequency::Frequency;
use crate::error::Error;
use crate::source::CapturedFrame;

/// The slots of all sources.
pub(crate) struct Mailbox {
    slots: Mutex<Vec<Slot>>,
    /// A frame has arrived, or a source has ended.
    arrived: Condvar,
    /// A slot has become free, or the threads are to end.
    freed: Condvar,
}

/// What a capture thread leaves for the main thread.
#[derive(Default)]
struct Slot {
    frame: Option<CapturedFrame>,
    /// Whether the source waits for the frame to be taken.
    waits: bool,
    /// A used frame, whose memory is reused.
    spare: Option<CapturedFrame>,
    /// Frames that were replaced by newer ones.
    dropped: u64,
    captured: u64,
    captures: Frequency,
    ended: Option<Ended>,
}

/// How a source ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It has no more frames.
    Out,
    /// It has failed for good.
    Failed(Error),
}

/// Counts of one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CaptureCounts {
    /// Frames that arrived.
    pub captured: u64,
    /// Those that were replaced by a newer one before they were taken.
    pub dropped: u64,
}

impl Mailbox {
    /// A mailbox with one slot for each of `sources` sources.
    pub(crate) fn new(sources: usize) -> Self {
        let slots = (0..sources).map(|_| Slot::default()).collect();
        Self { slots: Mutex::new(slots), arrived: Condvar::new(), freed: Condvar::new() }
    }

    /// Puts a source's newest frame in its slot and returns a frame to fill. If `wait` is set, the frame
    /// before is not replaced: this blocks until it has been taken, or until `stop` returns true.
    pub(crate) fn put(
        &self,
        source: usize,
        frame: CapturedFrame,
        wait: bool,
        stop: impl Fn() -> bool,
    ) -> CapturedFrame {
        let mut slots = self.lock();
        if wait {
            while slots.get(source).is_some_and(|slot| slot.frame.is_some()) && !stop() {
                slots = wait_for(&self.freed, slots, Duration::from_millis(100));
            }
        }
        let Some(slot) = slots.get_mut(source) else { return frame };
        slot.captured += 1;
        slot.captures.happened(Instant::now());
        slot.waits = wait;
        let before = slot.frame.replace(frame);
        slot.dropped += u64::from(before.is_some());
        let next = before.or_else(|| slot.spare.take()).unwrap_or_else(CapturedFrame::empty);
        drop(slots);
        self.arrived.notify_one();
        next
    }

    /// Reports that no more frames come from a source.
    pub(crate) fn end(&self, source: usize, how: Ended) {
        if let Some(slot) = self.lock().get_mut(source) {
            slot.ended = Some(how);
        }
        self.arrived.notify_one();
    }

    /// Takes the frame that `choose` ranks first. `choose` gets each frame's source, the frame, and whether
    /// the source waits, and returns its rank (lowest first), or `None` to leave it. Blocks at most until
    /// `until`.
    pub(crate) fn take<K: Ord>(
        &self,
        until: Instant,
        choose: impl Fn(usize, &CapturedFrame, bool) -> Option<K>,
    ) -> Option<(usize, CapturedFrame, bool)> {
        let mut slots = self.lock();
        loop {
            let full = slots.iter().enumerate().filter_map(|(i, slot)| Some((i, slot, slot.frame.as_ref()?)));
            let best = full.filter_map(|(i, slot, frame)| Some((choose(i, frame, slot.waits)?, i))).min();
            if let Some(source) = best.map(|(_, source)| source)
                && let Some(slot) = slots.get_mut(source)
                && let Some(frame) = slot.frame.take()
            {
                self.freed.notify_all();
                return Some((source, frame, slot.waits));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || slots.iter().all(|slot| slot.ended.is_some() && slot.frame.is_none()) {
                return None;
            }
            slots = wait_for(&self.arrived, slots, left);
        }
    }

    /// Returns the memory of a processed frame to its source.
    pub(crate) fn give_back(&self, source: usize, frame: CapturedFrame) {
        if let Some(slot) = self.lock().get_mut(source) {
            slot.spare = Some(frame);
        }
    }

    /// Whether every source has ended and none waits for its last frame to be taken. Frames of sources that
    /// do not wait may be left.
    pub(crate) fn is_over(&self) -> bool {
        let over = |slot: &Slot| slot.ended.is_some() && !(slot.waits && slot.frame.is_some());
        self.lock().iter().all(over)
    }

    /// Whether any other source is still running.
    pub(crate) fn has_others(&self, source: usize) -> bool {
        self.lock().iter().enumerate().any(|(i, slot)| i != source && slot.ended.is_none())
    }

    /// Wakes the threads that wait for a free slot, so that they notice a stop.
    pub(crate) fn wake(&self) {
        self.freed.notify_all();
    }

    /// A source's counts so far.
    pub(crate) fn counts(&self, source: usize) -> CaptureCounts {
        self.lock().get(source).map_or_else(CaptureCounts::default, |slot| CaptureCounts {
            captured: slot.captured,
            dropped: slot.dropped,
        })
    }

    /// Frames per second that arrived from a source, over the last few seconds.
    pub(crate) fn captures_per_second(&self, source: usize, now: Instant) -> f32 {
        self.lock().get(source).map_or(0.0, |slot| slot.captures.per_second(now))
    }

    /// The first error that ended a source; each error is returned once.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.lock().iter_mut().find_map(|slot| match slot.ended.take() {
            Some(Ended::Failed(error)) => {
                slot.ended = Some(Ended::Out);
                Some(error)
            }
            other => {
                slot.ended = other;
                None
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait_for<'a>(
    changed: &Condvar,
    slots: MutexGuard<'a, Vec<Slot>>,
    longest: Duration,
) -> MutexGuard<'a, Vec<Slot>> {
    changed.wait_timeout(slots, longest).unwrap_or_else(PoisonError::into_inner).0
}

#[cfg(test)]
#[path = "mailbox_tests.rs"]
mod tests;
