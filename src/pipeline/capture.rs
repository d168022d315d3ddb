//! One thread per source: reads frames, survives faults, reopens a source that is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::faults::Faults;
use super::mailbox::{Ended, Mailbox};
use super::opening::Opening;
use crate::error::{Error, Result};
use crate::source::{CapturedFrame, Live, Next, Retry};
use crate::system::start_thread;

/// Opens a source, as often as it is called.
pub(crate) type Open = Box<dyn Fn() -> Result<Box<dyn Live>> + Send>;

/// Longest sleep between two looks at `stop`.
const POLL: Duration = Duration::from_millis(100);

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
    /// Who waits for the first attempt to open it.
    pub opening: Arc<Opening>,
    /// Whether to reopen the source whenever it is gone, unless it turns out to be a recording, whose first
    /// error ends it.
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
        let mut retry = Retry::default();
        // A reopened source continues the numbers.
        let mut number = 0;
        let mut frame = CapturedFrame::empty();
        let opened = first.map_or_else(open, Ok);
        // What is not there yet may be a camera.
        let persist = self.persist && opened.as_ref().map_or(true, |source| !source.waits());
        self.opening.attempted(self.index, opened.as_ref().map(drop));
        let mut source = match opened {
            Err(error) if persist && self.mailbox.has_others(self.index) => {
                self.lost(&error, &mut retry);
                None
            }
            opened => Some(opened),
        };
        self.opening.wait_for_begin(|| self.stopped());
        self.pause(&retry);
        while !self.stopped() {
            let opened = source.take().unwrap_or_else(open);
            let end =
                opened.and_then(|mut opened| self.read(opened.as_mut(), &mut frame, &mut number, &mut retry));
            let Err(error) = end else { return Ended::Out };
            if !persist {
                if self.mailbox.has_others(self.index) {
                    tracing::error!("{error}; the other sources go on");
                }
                return Ended::Failed(error);
            }
            self.lost(&error, &mut retry);
            self.pause(&retry);
        }
        Ended::Out
    }

    /// Notes that the source is gone.
    fn lost(&self, error: &Error, retry: &mut Retry) {
        let why = format!("{error}; it will be reopened when it is back");
        self.faults.add_lost(&self.name, &why, retry.failures() == 0);
        retry.failed();
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
                Next::Stalled(why) => self.faults.add_stalled(&self.name, &why),
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
