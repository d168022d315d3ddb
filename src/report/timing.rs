//! How long stages take.

use std::ops::AddAssign;
use std::time::Duration;

/// Time that each stage took for one picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// File to RGB pixels; for a live source, compressed frame to pixels, and any frame to RGB if a sink
    /// shows pictures.
    pub decode: Duration,
    /// RGB pixels to the network's input.
    pub preprocess: Duration,
    /// The vision network.
    pub vision: Duration,
    /// Box decoding, NMS and region embeddings.
    pub regions: Duration,
    /// Scores of regions and picture, and NMS per label.
    pub matching: Duration,
}

impl Timing {
    /// All stages together.
    pub fn total(&self) -> Duration {
        self.decode + self.preprocess + self.vision + self.regions + self.matching
    }
}

impl AddAssign for Timing {
    fn add_assign(&mut self, other: Self) {
        self.decode += other.decode;
        self.preprocess += other.preprocess;
        self.vision += other.vision;
        self.regions += other.regions;
        self.matching += other.matching;
    }
}

/// Names of the stages of [`LiveTiming`], in the order in which a frame passes through them.
pub(crate) const STAGES: [&str; 7] = ["queue", "decode", "preprocess", "vision", "regions", "match", "track"];

/// Time that each stage took for one frame of a live source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveTiming {
    /// From capture until the frame was taken up.
    pub queue: Duration,
    /// Decoding and, if the network ran on the frame, the stages after it; zero otherwise.
    pub look: Timing,
    /// Tracks and events.
    pub track: Duration,
}

impl LiveTiming {
    /// The time of each stage: queue, decode, preprocess, vision, regions, match, track.
    pub fn stages(&self) -> [Duration; STAGES.len()] {
        let Timing { decode, preprocess, vision, regions, matching } = self.look;
        [self.queue, decode, preprocess, vision, regions, matching, self.track]
    }

    /// All stages but the queue.
    pub fn total(&self) -> Duration {
        self.look.total() + self.track
    }
}

/// Percentiles of a duration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Latency {
    /// Half took no longer.
    pub p50: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
}
