//! One thread per source: reads frames, survives faults, reopens a source that is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::mailbox::{Ended, Mailbox};
use crate::error::{Error, Result};
use crate::source::{CapturedFrame, Live, Next, Retry};
use crate::system::start_thread;

/// Opens a source, as often as it is called.
pub(crate) type Open = Box<dyn Fn() -> Result<Box<dyn Live>> + Send>;

/// Longest sleep between two looks at `stop`.
const POLL: Duration = Duration::from_millis(100);

/// What went wrong with a source.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    broken: AtomicU64,
    stalled: AtomicU64,
    lost: AtomicU64,
}

impl Faults {
    /// Frames that could not be used.
    pub(crate) fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }

    /// Times that no frame arrived for too long.
    pub(crate) fn stalled(&self) -> u64 {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Times that the source was gone, however many attempts it took to reopen it.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Counts a broken frame and reports it.
    pub(crate) fn add_broken(&self, source: &str, why: &str) {
        report(source, why, &self.broken, "broken frames");
    }
}

/// Counts, and warns at the first, second, fourth, eighth … time: a broken cable must not fill a disk.
fn report(source: &str, why: &str, counter: &AtomicU64, what: &str) {
    let count = counter.fetch_add(1, Ordering::Relaxed) + 1;
    if count.is_power_of_two() {
        // The source's own errors begin with its name.
        let name = if why.starts_with(source) { String::new() } else { format!("{source}: ") };
        tracing::warn!("{name}{why} ({count} {what} so far)");
    }
}

/// One source's thread.
pub(crate) struct Capture {
    /// Its slot in the mailbox.
    pub index: usize,
    /// What messages call it.
    pub name: Arc<str>,
    /// What went wrong.
    pub faults: Arc<Faults>,
    /// Set when all threads are to end.
    pub stop: Arc<AtomicBool>,
    /// Where frames go.
    pub mailbox: Arc<Mailbox>,
    /// Whether to reopen the source whenever it is gone; otherwise its first error ends it.
    pub persist: bool,
}

impl Capture {
    /// Starts the thread. `first` is the source if it is open already.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(self, first: Option<Box<dyn Live>>, open: Open) -> Result<JoinHandle<()>> {
        let name = Arc::clone(&self.name);
        start_thread(&name, move || {
            let mut end = EndReport { capture: &self, ended: None };
            end.ended = Some(self.work(first, &open));
        })
    }

    fn work(&self, first: Option<Box<dyn Live>>, open: &Open) -> Ended {
        let mut source = first;
        let mut retry = Retry::default();
        // A reopened source continues the numbers.
        let mut number = 0;
        let mut frame = CapturedFrame::empty();
        while !self.stopped() {
            let opened = source.take().map_or_else(open, Ok);
            let end =
                opened.and_then(|mut opened| self.read(opened.as_mut(), &mut frame, &mut number, &mut retry));
            let Err(error) = end else { return Ended::Out };
            if !self.persist {
                if self.mailbox.has_others(self.index) {
                    tracing::error!("{error}; the other sources go on");
                }
                return Ended::Failed(error);
            }
            match retry.failures() {
                0 => {
                    let why = format!("{error}; it will be reopened when it is back");
                    report(&self.name, &why, &self.faults.lost, "losses");
                }
                failures if failures.is_power_of_two() => {
                    tracing::warn!("{error} ({failures} attempts to reopen it so far)");
                }
                _ => {}
            }
            retry.failed();
            self.pause(&retry);
        }
        Ended::Out
    }

    /// Reads until the source ends (`Ok`) or fails. Its frame 0 gets `number`, which becomes that of the
    /// frame after the last one.
    fn read(
        &self,
        source: &mut dyn Live,
        frame: &mut CapturedFrame,
        number: &mut u64,
        retry: &mut Retry,
    ) -> Result<()> {
        let first = *number;
        while !self.stopped() {
            match source.next(frame)? {
                Next::Frame => {
                    retry.succeeded();
                    frame.number += first;
                    *number = frame.number + 1;
                    let full = std::mem::replace(frame, CapturedFrame::empty());
                    *frame = self.mailbox.put(self.index, full, source.waits(), || self.stopped());
                }
                Next::Nothing => {}
                Next::Broken(why) => self.faults.add_broken(&self.name, &why),
                Next::Stalled(why) => report(&self.name, &why, &self.faults.stalled, "stalls"),
                Next::End => return Ok(()),
            }
        }
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sleeps until the next attempt is due, or `stop` is set.
    fn pause(&self, retry: &Retry) {
        while !self.stopped() && !retry.remaining().is_zero() {
            thread::sleep(retry.remaining().min(POLL));
        }
    }
}

/// Tells the mailbox how the thread has ended, even by a panic: otherwise the main thread would wait for
/// frames forever.
struct EndReport<'a> {
    capture: &'a Capture,
    ended: Option<Ended>,
}

impl Drop for EndReport<'_> {
    fn drop(&mut self) {
        let Capture { name, mailbox, index, .. } = self.capture;
        let died = || Ended::Failed(Error::bug(format!("the capture thread of {name} has died")));
        mailbox.end(*index, self.ended.take().unwrap_or_else(died));
    }
}

#[cfg(test)]
#[path = "capture_tests.rs"]
mod tests;
