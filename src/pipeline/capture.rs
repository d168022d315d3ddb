//! One thread a source: reads frames, survives faults, opens the source again when it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::mailbox::{Ended, Mailbox};
use crate::error::Result;
use crate::source::{Live, Next, Shot};

/// Opens a source, again and again.
pub type Open = Box<dyn Fn() -> Result<Box<dyn Live>> + Send>;

/// Waiting times between attempts to open a source that is gone; the last one for ever.
const PAUSES: [u64; 6] = [1, 2, 4, 8, 15, 30];

/// What went wrong with a source.
#[derive(Debug, Default)]
pub struct Faults {
    broken: AtomicU64,
    stalled: AtomicU64,
    lost: AtomicU64,
}

impl Faults {
    /// Frames that could not be used.
    pub fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }

    /// Times that no frame came for too long.
    pub fn stalled(&self) -> u64 {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Times that the source was gone, however often it was tried to open it again.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Counts a broken frame and tells of it.
    pub fn add_broken(&self, source: &str, why: &str) {
        tell(source, why, &self.broken, "broken frames");
    }
}

/// Counts, and tells at the first, second, fourth, eighth … time: a broken cable must not fill a disk.
fn tell(source: &str, why: &str, counter: &AtomicU64, what: &str) {
    let count = counter.fetch_add(1, Ordering::Relaxed) + 1;
    if count.is_power_of_two() {
        // Errors of the source name it already.
        let name = if why.starts_with(source) { String::new() } else { format!("{source}: ") };
        tracing::warn!("{name}{why} ({count} {what} so far)");
    }
}

/// One source's thread.
pub struct Capture {
    /// Its place in the mailbox.
    pub index: usize,
    /// What messages call it.
    pub name: Arc<str>,
    /// What went wrong.
    pub faults: Arc<Faults>,
    /// Set when all shall end.
    pub stop: Arc<AtomicBool>,
    /// Where frames go.
    pub mailbox: Arc<Mailbox>,
    /// Whether to open the source again when it is gone, for ever; else that ends it.
    pub persist: bool,
}

impl Capture {
    /// Starts the thread. `first` is the source if it is open already.
    pub fn start(self, first: Option<Box<dyn Live>>, open: Open) -> JoinHandle<()> {
        thread::spawn(move || {
            let how = self.work(first, &open);
            self.mailbox.end(self.index, how);
        })
    }

    fn work(&self, first: Option<Box<dyn Live>>, open: &Open) -> Ended {
        let mut source = first;
        let mut attempts = 0usize;
        // Numbers go on where the source that is gone ended.
        let mut next = 0;
        let mut shot = Shot::empty();
        while !self.stopped() {
            let error = match source.take().map_or_else(open, Ok) {
                Ok(mut opened) => {
                    let before = self.mailbox.counts(self.index).captured;
                    let ended = self.read(opened.as_mut(), &mut shot, &mut next);
                    if self.mailbox.counts(self.index).captured > before {
                        attempts = 0;
                    }
                    match ended {
                        Ok(()) => return Ended::Out,
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            if !self.persist {
                if self.mailbox.has_others(self.index) {
                    tracing::error!("{error}; the other sources go on");
                }
                return Ended::Failed(error);
            }
            if attempts == 0 {
                let why = format!("{error}; it is opened again when it is back");
                tell(&self.name, &why, &self.faults.lost, "losses");
            } else if attempts.is_power_of_two() {
                tracing::warn!("{error} ({attempts} attempts so far to open it again)");
            }
            self.pause(PAUSES.get(attempts).or(PAUSES.last()).copied().unwrap_or(1));
            attempts += 1;
        }
        Ended::Out
    }

    /// Reads until the source ends (`Ok`) or is of no more use. Its frame 0 gets the number `next`, which ends as that of the
    /// next frame.
    fn read(&self, source: &mut dyn Live, shot: &mut Shot, next: &mut u64) -> Result<()> {
        let first = *next;
        while !self.stopped() {
            match source.next(shot)? {
                Next::Frame => {
                    shot.number += first;
                    *next = shot.number + 1;
                    let full = std::mem::replace(shot, Shot::empty());
                    *shot = self.mailbox.put(self.index, full, source.waits(), || self.stopped());
                }
                Next::Nothing => {}
                Next::Broken(why) => self.faults.add_broken(&self.name, &why),
                Next::Stalled(why) => tell(&self.name, &why, &self.faults.stalled, "stalls"),
                Next::End => return Ok(()),
            }
        }
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sleeps, but not through a stop.
    fn pause(&self, seconds: u64) {
        for _ in 0..seconds * 10 {
            if self.stopped() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod tests;
