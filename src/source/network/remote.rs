//! A network camera, read by the calling thread and reconnected when the connection is lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use super::{Fault, Patience};
use crate::error;
use crate::source::live::{CapturedFrame, Live, Next};
use crate::source::retry::Retry;

/// Longest sleep within one call, after which the caller can see whether to stop.
pub(in crate::source) const POLL: Duration = Duration::from_millis(200);
/// A session that nobody has read for so long after it began holds old frames, and is replaced.
const STALE: Duration = Duration::from_secs(1);
/// The same of one that has been read: this process was suspended, which is no fault of the camera.
const ABANDONED: Duration = Duration::from_secs(5);

/// How to talk to a camera.
pub(in crate::source) trait Protocol: Send {
    /// One connection that delivers frames.
    type Session: Send;

    /// Connects, at most for [`Patience::connect`] per step.
    ///
    /// # Errors
    /// What was found instead of a camera that sends frames.
    fn connect(&mut self) -> Result<Self::Session, Fault>;

    /// Waits for what arrives next. Returns [`Next::Nothing`] every now and then, at the latest when the
    /// transport's own time limit allows.
    ///
    /// # Errors
    /// Why the session is over.
    fn read(&mut self, session: &mut Self::Session, frame: &mut CapturedFrame) -> Result<Next, String>;

    /// Ends a session.
    fn hang_up(&mut self, session: Self::Session) {
        drop(session);
    }
}

/// A camera behind a [`Protocol`].
pub(in crate::source) struct Remote<P: Protocol> {
    name: String,
    protocol: P,
    session: Option<P::Session>,
    /// When the first session began, until it is read.
    unread: Option<Instant>,
    /// When it was read last.
    read: Option<Instant>,
    retry: Retry,
    /// The last reported reason for a lost connection: one that lasts is reported once.
    reported: Option<String>,
    /// Number of the next frame.
    number: u64,
}

impl<P: Protocol> Remote<P> {
    /// Connects for the first time: whoever opens a source wants to know about a wrong address at once, and
    /// never about a camera that restarts. `name` is what messages call the source.
    ///
    /// # Errors
    /// [`Error::Device`](error::Error::Device) if that fails.
    pub(crate) fn open(name: &str, patience: Patience, mut protocol: P) -> error::Result<Self> {
        let session = guarded(|| protocol.connect(), broken).map_err(|fault| fault.into_error(name))?;
        tracing::info!(source = name, "connected");
        Ok(Self {
            name: name.to_owned(),
            protocol,
            session: Some(session),
            unread: Some(Instant::now()),
            read: None,
            retry: Retry::new(patience.first_pause, patience.longest_pause),
            reported: None,
            number: 0,
        })
    }

    /// Connects again if it is time to; `Nothing` if connected or too early.
    fn reconnect(&mut self) -> Result<Next, String> {
        let remaining = self.retry.remaining();
        if !remaining.is_zero() {
            thread::sleep(remaining.min(POLL));
            return Ok(Next::Nothing);
        }
        let connected = guarded(|| self.protocol.connect(), broken);
        self.session = Some(connected.map_err(|fault| fault.found)?);
        tracing::info!(source = self.name, "connected");
        Ok(Next::Nothing)
    }

    fn hang_up(&mut self) {
        if let Some(session) = self.session.take() {
            self.protocol.hang_up(session);
        }
    }
}

impl<P: Protocol> Live for Remote<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn waits(&self) -> bool {
        false
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> error::Result<Next> {
        if self.unread.take().is_some_and(|begun| begun.elapsed() > STALE)
            || self.read.is_some_and(|last| last.elapsed() > ABANDONED)
        {
            self.hang_up();
        }
        let next = match &mut self.session {
            Some(session) => guarded(|| self.protocol.read(session, frame), |panic| broken(panic).found),
            None => self.reconnect(),
        };
        self.read = Some(Instant::now());
        match next {
            Ok(Next::Frame) => {
                frame.number = self.number;
                self.number += 1;
                self.retry.succeeded();
                self.reported = None;
                Ok(Next::Frame)
            }
            Ok(next) => Ok(next),
            Err(why) => {
                self.hang_up();
                self.retry.failed();
                if self.reported.as_ref() == Some(&why) {
                    return Ok(Next::Nothing);
                }
                self.reported = Some(why.clone());
                Ok(Next::Stalled(why))
            }
        }
    }
}

/// What a library makes of bytes that it does not expect is a fault of the camera. Where panics end the
/// process, as in the program `edgeclip`, it is a process of its own (`apart/`).
fn guarded<T, E>(work: impl FnOnce() -> Result<T, E>, broken: impl FnOnce(&str) -> E) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(broken(text.or_else(|| panic.downcast_ref().copied()).unwrap_or("a panic")))
    })
}

fn broken(panic: &str) -> Fault {
    Fault::new(
        format!("answers that a library cannot read ({})", panic.replace(char::is_control, " ")),
        "a camera that follows the standard: another path, or newer firmware",
    )
}

impl<P: Protocol> Drop for Remote<P> {
    fn drop(&mut self) {
        self.hang_up();
    }
}

#[cfg(test)]
#[path = "remote_tests.rs"]
mod tests;
