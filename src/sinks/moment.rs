//! What sinks of live sources take.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Timing;
use crate::error::Result;
use crate::events::{Event, Outline};
use crate::geometry::Rect;
use crate::source::Picture;
use crate::track::Track;

/// A name with its probability, and a place where it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// What is printed.
    pub label: Arc<str>,
    /// Probability, 0 to 1.
    pub score: f32,
    /// In pixels of the picture; `None` for a tag of the whole picture.
    pub rect: Option<Rect>,
}

/// Names of the stages of [`LiveTiming`], in the order in which a frame goes through them.
pub const STAGES: [&str; 7] = ["queue", "decode", "preprocess", "vision", "regions", "match", "track"];

/// Time that each stage took for one frame of a live source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LiveTiming {
    /// From capture until it was taken up.
    pub queue: Duration,
    /// The look; all but decoding is zero if the frame was not looked at.
    pub look: Timing,
    /// Tracks and events.
    pub track: Duration,
}

impl LiveTiming {
    /// Each of [`STAGES`].
    pub fn stages(&self) -> [Duration; STAGES.len()] {
        let Timing { decode, preprocess, vision, regions, matching } = self.look;
        [self.queue, decode, preprocess, vision, regions, matching, self.track]
    }

    /// All stages but the queue.
    pub fn total(&self) -> Duration {
        self.look.total() + self.track
    }
}

/// All that one frame of a live source showed. Sinks on several threads share it.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The source's name.
    pub source: Arc<str>,
    /// The source's count of frames, from 0.
    pub frame: u64,
    /// When the frame was taken over.
    pub time: SystemTime,
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// Names for the whole picture, best first.
    pub tags: Vec<Named>,
    /// Named boxes, best first; empty where the frame was not looked at and tracks were predicted.
    pub detections: Vec<Named>,
    /// What is followed, by rising id.
    pub tracks: Vec<Track>,
    /// What happened.
    pub events: Vec<Event>,
    /// Zones and lines.
    pub outlines: Arc<[Outline]>,
    /// Time of each stage.
    pub timing: LiveTiming,
    /// Time from capture to this result.
    pub latency: Duration,
    /// The pixels, if any sink wants them.
    pub picture: Option<Picture>,
}

impl Moment {
    /// Whether the network ran on this frame; otherwise tracks are predicted and there are no detections.
    pub fn looked(&self) -> bool {
        !self.timing.look.vision.is_zero()
    }
}

/// Which boxes a sink shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Things {
    /// What is followed: confirmed, with stable ids.
    Tracks,
    /// What was found in this frame alone.
    Detections,
}

/// Where moments go. Each sink has a thread of its own: a slow one delays no other.
pub trait Sink: Send {
    /// What messages call it.
    fn name(&self) -> &str;

    /// Whether [`Moment::picture`] is needed in every moment.
    fn wants_pictures(&self) -> bool;

    /// Takes one moment.
    ///
    /// # Errors
    /// [`crate::error::Error::Io`] and others, which are told and counted; the sink is used again with the next moment.
    fn take(&mut self, moment: &Moment) -> Result<()>;
}
