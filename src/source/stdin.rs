//! Standard input as a live source: frames come from a thread, so that waiting for them can be left.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::container::{Container, Piece};
use super::live::{CapturedFrame, Live, Next};
use crate::error::{Error, Result};

/// What it is called.
pub(super) const STDIN: &str = "-";
/// How long one call waits.
const PATIENCE: Duration = Duration::from_millis(200);
/// Time without a frame after which a camera's program is said to have stalled.
const STALL: Duration = Duration::from_secs(10);

/// A pipe. Of a camera's frames the newest whole one is given: a writer that is faster than the reader loses frames, not time. A
/// recording's writer waits.
pub(super) struct Pipe {
    slot: Arc<(Mutex<Slot>, Condvar)>,
    /// When the last frame came, until it is told that none has come since.
    heard: Option<Instant>,
}

/// What the reading thread leaves for the other.
#[derive(Default)]
struct Slot {
    /// The newest frame.
    newest: Option<CapturedFrame>,
    /// A frame whose buffer is used again.
    spare: Option<CapturedFrame>,
    /// Whether a frame waits until it is taken.
    waits: bool,
    /// How many parts were no frame, and why the last one was not.
    broken: (u64, String),
    /// Why there will be no more.
    end: Option<Result<()>>,
    /// Whether nobody takes frames any more.
    closed: bool,
}

/// What a pipe turned out to hold.
pub(super) struct PipeContents {
    pub container: Box<dyn Container>,
    /// Whether each frame counts, as in a recording.
    pub waits: bool,
}

impl Pipe {
    /// Starts a thread that calls `open`, which may wait for the first bytes, and cuts frames to the end.
    pub fn new(open: impl FnOnce() -> Result<PipeContents> + Send + 'static) -> Self {
        let slot = Arc::<(Mutex<Slot>, Condvar)>::default();
        let theirs = Arc::clone(&slot);
        thread::spawn(move || {
            let end = open().and_then(|opened| read(opened, &theirs));
            lock(&theirs.0).end = Some(end);
            theirs.1.notify_all();
        });
        Self { slot, heard: None }
    }
}

impl Live for Pipe {
    fn name(&self) -> &str {
        STDIN
    }

    fn waits(&self) -> bool {
        lock(&self.slot.0).waits
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        let (slot, changed) = &*self.slot;
        let nothing = |slot: &mut Slot| slot.newest.is_none() && slot.broken.0 == 0 && slot.end.is_none();
        let waited = changed.wait_timeout_while(lock(slot), PATIENCE, nothing);
        let (mut slot, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if slot.broken.0 > 0 {
            slot.broken.0 -= 1;
            return Ok(Next::Broken(slot.broken.1.clone()));
        }
        if let Some(mut newest) = slot.newest.take() {
            std::mem::swap(frame, &mut newest);
            slot.spare = Some(newest);
            self.heard = Some(Instant::now()).filter(|_| !slot.waits);
            changed.notify_all();
            return Ok(Next::Frame);
        }
        match slot.end.take() {
            // Nobody but the program that writes can do anything about it.
            None if self.heard.is_some_and(|heard| heard.elapsed() >= STALL) => {
                self.heard = None;
                Ok(Next::Stalled(format!("no frame within {} s", STALL.as_secs())))
            }
            None => Ok(Next::Nothing),
            Some(end) => {
                // It has ended for every later call as well.
                slot.end = Some(Ok(()));
                end.map(|()| Next::End)
            }
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        lock(&self.slot.0).closed = true;
        self.slot.1.notify_all();
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cuts to the end, putting each frame into the slot.
fn read(opened: PipeContents, (slot, changed): &(Mutex<Slot>, Condvar)) -> Result<()> {
    let PipeContents { mut container, waits } = opened;
    lock(slot).waits = waits;
    let (mut number, mut broken) = (0, 0);
    loop {
        match container.next()? {
            Piece::Frame(cutout) => {
                let mut frame = lock(slot).spare.take().unwrap_or_else(CapturedFrame::empty);
                frame.fill(cutout.bytes, cutout.encoding, number);
                frame.media_time = cutout.time;
                number += 1;
                let full = |slot: &mut Slot| waits && slot.newest.is_some() && !slot.closed;
                let mut slot = changed.wait_while(lock(slot), full).unwrap_or_else(PoisonError::into_inner);
                if slot.closed {
                    return Ok(());
                }
                // A frame that nobody took leaves its buffer.
                let missed = slot.newest.replace(frame);
                slot.spare = missed.or(slot.spare.take());
            }
            Piece::Broken(why) => {
                broken += 1;
                let mut slot = lock(slot);
                slot.broken = (slot.broken.0 + 1, format!("frame {number}: {why}"));
            }
            Piece::Nothing => continue,
            Piece::End if number == 0 => {
                let found = match broken {
                    0 => "nothing".to_owned(),
                    _ => format!("no whole frame ({broken} broken)"),
                };
                return Err(Error::input("standard input", found, "frames"));
            }
            Piece::End => return Ok(()),
        }
        changed.notify_all();
    }
}

#[cfg(test)]
#[path = "stdin_tests.rs"]
mod tests;
