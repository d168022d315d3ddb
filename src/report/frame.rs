//! The result for one frame of a live source.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Detection, LiveTiming, Tag};
use crate::events::{Event, Outline};
use crate::source::Picture;
use crate::track::Track;

/// Everything that one frame of a live source showed. Sinks on several threads share it.
#[derive(Debug, Clone)]
pub struct FrameReport {
    /// The source's name.
    pub source: Arc<str>,
    /// The source's count of frames, from 0.
    pub frame: u64,
    /// When the frame was captured.
    pub time: SystemTime,
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// Whether the network ran on this frame; otherwise tracks are predicted, and there are no tags and
    /// detections.
    pub looked: bool,
    /// Names for the whole picture, best first.
    pub tags: Vec<Tag>,
    /// Named boxes, best first.
    pub detections: Vec<Detection>,
    /// All confirmed tracks, by rising id.
    pub tracks: Vec<Track>,
    /// What happened in this frame.
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
