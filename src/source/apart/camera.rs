//! A camera that another process reads.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::memory::take;
use super::message::{Answer, Ask, Death, Header, LONGEST_FRAME, Request};
use super::process::{POLL, Process};
use super::silence::Silence;
use crate::error::{Error, ErrorParts, Result};
use crate::source::live::{CapturedFrame, Decode, Live, Next};
use crate::source::network::{Patience, seconds};
use crate::source::retry::Retry;

/// By how much the process may be late that keeps the same time itself, and says more.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// A source that another process reads, and starts anew when it has died.
pub(super) struct Camera {
    name: String,
    process: Process,
    /// For pictures that are files; those of a video are decoded by the process that reads it.
    decoder: Option<Arc<dyn Decode>>,
    /// Whether the camera is connected, as opposed to being connected.
    opened: bool,
    /// Whether the process has been asked for what comes next.
    asked: bool,
    retry: Retry,
    /// Number of the next frame, and of the first one of the present process.
    number: u64,
    first: u64,
    /// When the first process was started, and how much later the present one was.
    begun: Instant,
    later: Duration,
    silence: Silence,
}

impl Camera {
    /// Waits until the camera is connected, but not for as long as the process may wait, which can be opened
    /// again then.
    ///
    /// # Errors
    /// It cannot be.
    pub(super) fn open(
        name: &str,
        mut process: Process,
        decoder: Option<Arc<dyn Decode>>,
        patience: Patience,
    ) -> Result<Self> {
        let begun = Instant::now();
        let until = begun + patience.connect + GRACE;
        // One whose source could not be opened before.
        let revived = process.revive();
        revived.map_err(|error| {
            Error::device(name, format!("no process to read it ({error})"), "another attempt")
        })?;
        let failed: Error = loop {
            match process.receive() {
                Some(Answer::Opened) => {
                    return Ok(Self {
                        name: name.to_owned(),
                        process,
                        decoder,
                        opened: true,
                        asked: false,
                        retry: Retry::default(),
                        number: 0,
                        first: 0,
                        begun,
                        later: Duration::ZERO,
                        silence: Silence::new(patience.stall),
                    });
                }
                Some(Answer::Refused(error)) => break error.into(),
                Some(Answer::Died(why)) => {
                    let expected = "a camera whose answers can be read: its sub-stream, or another path";
                    break Error::device(name, died(&process, &why), expected);
                }
                None if Instant::now() >= until => {
                    let found = format!("no answer within {}", seconds(patience.connect));
                    break Error::device(name, found, "a camera that answers, and comes to an end");
                }
                _ => {}
            }
        };
        process.leave();
        Err(failed)
    }

    /// Has the process started again when it is time to.
    fn revive(&mut self) {
        let remaining = self.retry.remaining();
        if !remaining.is_zero() {
            thread::sleep(remaining.min(POLL));
            return;
        }
        (self.first, self.later) = (self.number, self.begun.elapsed());
        (self.opened, self.asked) = (false, false);
        if self.process.revive().is_err() {
            self.retry.failed();
        }
    }

    /// Copies a frame out of the shared file.
    fn fetch(&mut self, header: &Header, frame: &mut CapturedFrame) -> Next {
        if header.length > LONGEST_FRAME {
            return Next::Broken(format!("a frame of {} bytes", header.length));
        }
        if let Err(error) = take(&self.process.shared, &mut frame.bytes, header.length) {
            return Next::Broken(format!("a frame that is not there ({error})"));
        }
        header.describe(frame);
        frame.decode_with(self.decoder.clone());
        go_on(frame, self.first, self.later);
        self.number = frame.number.saturating_add(1);
        self.retry.succeeded();
        Next::Frame
    }

    fn stalled(&mut self, error: ErrorParts) -> Next {
        self.retry.failed();
        let error = Error::from(error);
        Next::Stalled(error.found().map_or_else(|| error.to_string(), str::to_owned))
    }
}

impl Live for Camera {
    fn name(&self) -> &str {
        &self.name
    }

    fn waits(&self) -> bool {
        false
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        if self.process.has_ended() {
            self.revive();
            return Ok(Next::Nothing);
        }
        if self.opened && !self.asked {
            self.process.ask(Request::plain(Ask::Next));
            self.asked = true;
        }
        let next = match self.process.receive() {
            Some(answer) => self.take(answer, frame),
            None => Next::Nothing,
        };
        Ok(self.silence.watch(next))
    }
}

impl Camera {
    fn take(&mut self, answer: Answer, frame: &mut CapturedFrame) -> Next {
        self.asked = false;
        match answer {
            Answer::Opened => {
                self.opened = true;
                Next::Nothing
            }
            Answer::Frame(header) => self.fetch(&header, frame),
            Answer::Broken(why) => Next::Broken(why),
            Answer::Stalled(why) => Next::Stalled(why),
            Answer::End => Next::End,
            Answer::Failed(error) | Answer::Refused(error) => self.stalled(error),
            Answer::Died(why) => {
                self.retry.failed();
                Next::Stalled(died(&self.process, &why))
            }
            Answer::Nothing | Answer::Still | Answer::Picture { .. } | Answer::Panicked(_) => Next::Nothing,
        }
    }
}

/// What is told of a process that died.
fn died(process: &Process, death: &Death) -> String {
    format!("{}; it is started again", process.told(death))
}

/// Numbers and times of a process count from its start: of all together, it is the frame `first` and so much
/// `later`. What another process says may be anything.
fn go_on(frame: &mut CapturedFrame, first: u64, later: Duration) {
    frame.number = frame.number.saturating_add(first);
    frame.media_time = frame.media_time.map(|time| time.saturating_add(later));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_go_on_whatever_a_process_says() {
        let mut frame = CapturedFrame::empty();
        (frame.number, frame.media_time) = (3, Some(Duration::from_secs(2)));
        go_on(&mut frame, 40, Duration::from_secs(60));
        assert_eq!((frame.number, frame.media_time), (43, Some(Duration::from_secs(62))));
        (frame.number, frame.media_time) = (u64::MAX, Some(Duration::MAX));
        go_on(&mut frame, 40, Duration::from_secs(60));
        assert_eq!((frame.number, frame.media_time), (u64::MAX, Some(Duration::MAX)));
    }
}
