//! When a source behind a network is connected anew.

use std::time::Duration;

use super::{Mailbox, Patience};
use crate::error::Error;
use crate::source::live::Next;

/// Why a source could not be connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Fault {
    /// What there was.
    pub found: String,
    /// What to do about it.
    pub expected: String,
}

impl Fault {
    pub fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: expected.into() }
    }

    /// As the error of the source `name`.
    pub fn into_error(self, name: &str) -> Error {
        Error::device(name, self.found, self.expected)
    }
}

/// Connects and plays, again and again, until the mailbox's owner has gone or the first connection fails: whoever opens
/// a source wants to know of a wrong address at once, and of a camera that restarts never.
///
/// `opened` takes the outcome of the first connection; `play` returns why there are no more frames.
pub(in crate::source) fn follow<S>(
    mailbox: &Mailbox,
    patience: Patience,
    opened: impl FnOnce(Result<(), Fault>),
    mut connect: impl FnMut() -> Result<S, Fault>,
    mut play: impl FnMut(S) -> String,
) {
    let mut opened = Some(opened);
    let mut pauses = Pauses::new(patience);
    // A fault that lasts is told once.
    let mut told = None;
    while !mailbox.is_abandoned() {
        let frames = mailbox.frames();
        let why = match connect() {
            Ok(session) => {
                if let Some(opened) = opened.take() {
                    opened(Ok(()));
                }
                tracing::info!(source = mailbox.name(), "connected");
                play(session)
            }
            Err(fault) => match opened.take() {
                Some(opened) => return opened(Err(fault)),
                None => fault.found,
            },
        };
        if mailbox.frames() > frames {
            (pauses, told) = (Pauses::new(patience), None);
        }
        if told.as_ref() != Some(&why) {
            mailbox.tell(Next::Stalled(why.clone()));
            told = Some(why);
        }
        mailbox.wait(pauses.next());
    }
}

/// Pauses between attempts: each twice as long as the one before, up to the longest.
struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    fn new(patience: Patience) -> Self {
        Self { next: patience.first_pause, longest: patience.longest_pause }
    }

    fn next(&mut self) -> Duration {
        let pause = self.next.min(self.longest);
        self.next = 2 * pause;
        pause
    }
}

/// A time for messages.
pub(in crate::source) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f32())
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
