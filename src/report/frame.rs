//! The result for one frame of a live source.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::features::FeatureRecord;
use super::sighting::Sighting;
use super::{Detection, Findings, LiveTiming, Tag};
use crate::events::{Event, Outline};
use crate::geometry::Rect;
use crate::source::Picture;
use crate::track::Track;

/// Everything that one frame of a live source showed, in words and numbers: no pixels. Sinks on several threads
/// share it.
#[derive(Debug, Clone)]
#[non_exhaustive]
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
    /// What the object of each event looks like, where that is known.
    pub(crate) features: Vec<Option<FeatureRecord>>,
    /// What tracks look like that have appeared or gone in this frame, where it is asked for.
    pub(crate) sightings: Vec<Arc<Sighting>>,
    /// Parts that were looked at closely, besides the whole.
    pub crops: Vec<Rect>,
    /// Zones and lines.
    pub outlines: Arc<[Outline]>,
    /// Time of each stage.
    pub timing: LiveTiming,
    /// Time from capture to this result.
    pub latency: Duration,
}

impl FrameReport {
    /// The report of a single picture that `source` has shown right now: no tracks, no events. For displays and
    /// sinks that are fed by hand, and their tests.
    ///
    /// ```
    /// use edgeclip::{Findings, FrameReport, Picture};
    ///
    /// let picture = Picture { name: String::new(), width: 2, height: 1, data: vec![0; 6] };
    /// let report = FrameReport::of_picture("door", &picture, Findings::default());
    /// assert_eq!((&*report.source, report.width, report.frame), ("door", 2, 0));
    /// ```
    pub fn of_picture(source: &str, picture: &Picture, findings: Findings) -> Self {
        Self {
            source: source.into(),
            frame: 0,
            time: SystemTime::now(),
            width: picture.width,
            height: picture.height,
            looked: true,
            tags: findings.tags,
            detections: findings.detections,
            tracks: Vec::new(),
            events: Vec::new(),
            features: Vec::new(),
            sightings: Vec::new(),
            crops: Vec::new(),
            outlines: [].into(),
            timing: LiveTiming { look: findings.timing, ..LiveTiming::default() },
            latency: findings.timing.total(),
        }
    }
}
