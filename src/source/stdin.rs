//! Pipes as live sources, such as standard input, each read by a thread of its own: a blocking read cannot be
//! interrupted.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::container::{Broken, Container, Piece};
use super::live::{CapturedFrame, Live, Next};
use super::network::seconds;
use crate::error::{Error, Result};
use crate::system::start_thread;

/// Name of standard input as a source.
pub(super) const STDIN: &str = "-";
/// What messages call it.
pub(super) const STDIN_NAME: &str = "standard input";
/// Longest wait of one call.
const PATIENCE: Duration = Duration::from_millis(200);
/// A writer that delivers no frame for this long has stalled, whatever bytes come.
const STALL: Duration = Duration::from_secs(10);

/// A pipe. From a camera, the newest whole frame is delivered: a writer that is faster than the reader loses
/// frames, not time. The writer of a recording waits.
pub(super) struct Pipe {
    slot: Arc<(Mutex<Slot>, Condvar)>,
    /// When the last frame was taken, or the pipe opened; `None` once silence has been reported.
    heard: Option<Instant>,
    /// Longest time without a frame.
    stall: Duration,
}

/// What the reading thread shares.
#[derive(Default)]
struct Slot {
    /// The newest frame.
    newest: Option<CapturedFrame>,
    /// A frame whose buffer is reused.
    spare: Option<CapturedFrame>,
    /// Whether a frame stays until it is taken.
    waits: bool,
    /// Broken parts that have not been reported, and why the last one was broken.
    broken: (u64, String),
    /// How the input ended.
    end: Option<Result<()>>,
    /// Whether the source has been dropped.
    closed: bool,
}

/// What a pipe turned out to hold.
pub(super) struct PipeContents {
    pub container: Box<dyn Container>,
    /// Whether no frame may be dropped, as in a recording.
    pub waits: bool,
}

impl Pipe {
    /// Starts a thread that calls `open`, which may block until bytes arrive, and reads frames to the end; errors call
    /// the pipe `name`. A writer without a frame for `stall` is told of, by default after 10 s.
    ///
    /// # Errors
    /// [`Error::Device`] if the system has no thread left.
    pub(crate) fn new(
        name: impl Into<String>,
        stall: Option<Duration>,
        open: impl FnOnce() -> Result<PipeContents> + Send + 'static,
    ) -> Result<Self> {
        let slot = Arc::<(Mutex<Slot>, Condvar)>::default();
        let theirs = Arc::clone(&slot);
        let name = name.into();
        start_thread(&name.clone(), move || {
            let end = open().and_then(|opened| read(&name, opened, &theirs));
            lock(&theirs.0).end = Some(end);
            theirs.1.notify_all();
        })?;
        Ok(Self { slot, heard: Some(Instant::now()), stall: stall.unwrap_or(STALL) })
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
            self.heard = Some(Instant::now());
            changed.notify_all();
            return Ok(Next::Frame);
        }
        match slot.end.take() {
            // Only the writing program could do anything about it.
            None if self.heard.is_some_and(|heard| heard.elapsed() >= self.stall) => {
                self.heard = None;
                Ok(Next::Stalled(format!("no frame within {}", seconds(self.stall))))
            }
            None => Ok(Next::Nothing),
            Some(end) => {
                // Later calls find the end as well.
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

/// Reads to the end, putting each frame into the slot.
fn read(name: &str, opened: PipeContents, (slot, changed): &(Mutex<Slot>, Condvar)) -> Result<()> {
    let PipeContents { mut container, waits } = opened;
    lock(slot).waits = waits;
    let (mut number, mut broken) = (0, Broken::default());
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
                // The buffer of a frame that was not taken is reused.
                let missed = slot.newest.replace(frame);
                slot.spare = missed.or(slot.spare.take());
            }
            Piece::Broken(why) => {
                broken.add(&why);
                let mut slot = lock(slot);
                slot.broken = (slot.broken.0 + 1, format!("frame {number}: {why}"));
            }
            Piece::Nothing => continue,
            Piece::End if number == 0 => {
                return Err(Error::input(name, broken.instead_of_frames(), "frames"));
            }
            Piece::End => return Ok(()),
        }
        changed.notify_all();
    }
}

#[cfg(test)]
#[path = "stdin_tests.rs"]
mod tests;
