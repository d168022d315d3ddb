//! Files as live sources.

use std::thread;
use std::time::{Duration, Instant};

use super::container::{Broken, Container, Piece, time_of};
use super::live::{CapturedFrame, Live, Next};
use super::retry::Retry;
use crate::error::{Error, ErrorKind, Result};

/// Frame rate for recordings without one: that of most cameras' clips, and FFmpeg's default.
const RATE: u32 = 25;
/// Longest wait of one call.
const PATIENCE: Duration = Duration::from_millis(200);

/// Opens a container at its start.
pub(super) type Opener = Box<dyn Fn() -> Result<Box<dyn Container>> + Send>;

/// How a recording is played.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// Frames per second, whatever the recording says.
    pub fps: Option<u32>,
    /// Whether frames are delivered at their presentation time instead of on demand.
    pub real_time: bool,
    /// Whether to start again at the end.
    pub repeat: bool,
}

/// A recording, a picture or several, frame by frame.
pub(super) struct Recording {
    name: String,
    open: Opener,
    container: Box<dyn Container>,
    pace: Pace,
    /// Frames so far.
    number: u64,
    /// Frames in this pass.
    frames: u64,
    /// Broken parts in this pass.
    broken: Broken,
    timeline: Timeline,
    /// When to open it again that could not be read to the end of a pass.
    retry: Retry,
    lost: bool,
    /// The next frame, until it is due.
    early: CapturedFrame,
    due: Option<Instant>,
}

/// Presentation times across the passes of a repeated recording.
#[derive(Default)]
struct Timeline {
    /// When this pass began.
    start: Duration,
    /// Time of the newest frame, and its distance from the one before.
    newest: Option<Duration>,
    interval: Option<Duration>,
    /// When time zero was, for playing in real time.
    zero: Option<Instant>,
}

impl Recording {
    /// Calls `open`; `name` is for messages and results.
    ///
    /// # Errors
    /// Same as `open`.
    pub(crate) fn new(name: impl Into<String>, open: Opener, pace: Pace) -> Result<Self> {
        let container = open()?;
        Ok(Self {
            name: name.into(),
            open,
            container,
            pace,
            number: 0,
            frames: 0,
            broken: Broken::default(),
            timeline: Timeline::default(),
            retry: Retry::default(),
            lost: false,
            early: CapturedFrame::empty(),
            due: None,
        })
    }

    /// Reads the next frame into `frame`. What is played again and again may be gone or cut for a while: it is being
    /// replaced.
    fn cut(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        if self.lost {
            return self.reopen();
        }
        match self.try_cut(frame) {
            Err(error) if self.pace.repeat && self.number > 0 && error.kind() != ErrorKind::Bug => {
                self.lost = true;
                self.retry.failed();
                let found = error.found().map_or_else(|| error.to_string(), str::to_owned);
                Ok(Next::Stalled(format!("{found}; it will be played again when it is back")))
            }
            next => next,
        }
    }

    fn reopen(&mut self) -> Result<Next> {
        let remaining = self.retry.remaining();
        if !remaining.is_zero() {
            thread::sleep(remaining.min(PATIENCE));
        } else if self.start_again().is_ok() {
            self.lost = false;
        } else {
            self.retry.failed();
        }
        Ok(Next::Nothing)
    }

    fn try_cut(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        match self.container.next()? {
            Piece::Frame(cutout) => {
                let fallback = (self.pace.real_time || self.pace.fps.is_some()).then_some(RATE);
                let even = |rate| time_of(self.frames, rate, 1);
                let time = self.pace.fps.map_or(cutout.time, even).or_else(|| fallback.and_then(even));
                frame.fill(cutout.bytes, cutout.encoding, self.number);
                frame.media_time = time.map(|time| self.timeline.at(time));
                self.number += 1;
                self.frames += 1;
                self.retry.succeeded();
                Ok(Next::Frame)
            }
            Piece::Broken(why) => {
                self.broken.add(&why);
                Ok(Next::Broken(format!("frame {}: {why}", self.number)))
            }
            Piece::Nothing => Ok(Next::Nothing),
            Piece::End => self.end(),
        }
    }

    fn end(&mut self) -> Result<Next> {
        if self.frames == 0 {
            return Err(Error::input(&self.name, self.broken.instead_of_frames(), "frames"));
        }
        if !self.pace.repeat {
            return Ok(Next::End);
        }
        self.start_again()?;
        Ok(Next::Nothing)
    }

    fn start_again(&mut self) -> Result<()> {
        self.container = (self.open)()?;
        (self.frames, self.broken) = (0, Broken::default());
        self.timeline.start_again(time_of(1, self.pace.fps.unwrap_or(RATE), 1));
        Ok(())
    }
}

impl Timeline {
    /// Time of a frame that is at `time` in this pass.
    fn at(&mut self, time: Duration) -> Duration {
        let now = self.start.saturating_add(time);
        self.interval = self.newest.map(|before| now.saturating_sub(before)).or(self.interval);
        self.newest = Some(now);
        now
    }

    /// The first frame of the next pass follows the last of this one at the interval of the last two.
    fn start_again(&mut self, fallback: Option<Duration>) {
        let interval = self.interval.or(fallback).unwrap_or_default();
        self.start = self.newest.map_or(self.start, |newest| newest.saturating_add(interval));
    }

    /// When to deliver a frame with this time.
    fn due(&mut self, place: Option<Duration>) -> Instant {
        let now = Instant::now();
        let place = place.unwrap_or_default();
        let zero = *self.zero.get_or_insert_with(|| now.checked_sub(place).unwrap_or(now));
        zero.checked_add(place).unwrap_or(now)
    }
}

impl Live for Recording {
    fn name(&self) -> &str {
        &self.name
    }

    fn waits(&self) -> bool {
        !self.pace.real_time
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        if !self.pace.real_time {
            return self.cut(frame);
        }
        if self.due.is_none() {
            let mut early = std::mem::replace(&mut self.early, CapturedFrame::empty());
            let next = self.cut(&mut early);
            self.early = early;
            match next? {
                Next::Frame => self.due = Some(self.timeline.due(self.early.media_time)),
                other => return Ok(other),
            }
        }
        let left = self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(Instant::now()));
        thread::sleep(left.min(PATIENCE));
        if left > PATIENCE {
            return Ok(Next::Nothing);
        }
        self.due = None;
        std::mem::swap(frame, &mut self.early);
        frame.stamp(Instant::now());
        Ok(Next::Frame)
    }
}

#[cfg(test)]
#[path = "recording_tests.rs"]
mod tests;
