//! Where results go: JSON Lines, text for people, annotated pictures; of live sources, also tables, screens and snapshots.

mod annotate;
mod clock;
mod csv;
mod fit;
mod framebuffer;
mod frames;
mod happened;
mod json;
mod jsonl;
mod live_jsonl;
mod moment;
mod motion_jpeg;
mod output;
mod picture;
mod snapshots;
mod status;
mod text;
mod whole;

pub use annotate::{Painter, annotate};
pub use csv::Csv;
pub use framebuffer::Framebuffer;
pub use frames::Frames;
pub use happened::EventKind;
pub use jsonl::write_jsonl;
pub use live_jsonl::{Lines, LiveJsonl};
pub use moment::{LiveTiming, Moment, Named, STAGES, Sink, Things};
pub use motion_jpeg::MotionJpeg;
pub use output::Output;
pub use picture::{PictureKind, save_picture};
pub use snapshots::{SnapshotOptions, Snapshots};
pub use status::{Latency, SinkStatus, Status, write_status};
pub use text::write_text;

use std::time::Duration;

use crate::vocabulary::{Detection, Tag};

/// What was found in one picture.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The picture's path, or the live source's name, as the user gave it.
    pub path: &'a str,
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// The vocabulary's names, which the labels of `tags` and `detections` index.
    pub names: &'a [String],
    /// Best first.
    pub tags: &'a [Tag],
    /// Best first.
    pub detections: &'a [Detection],
    /// How long it took.
    pub timing: Timing,
}

impl<'a> Report<'a> {
    fn name(&self, label: usize) -> &'a str {
        self.names.get(label).map_or("?", String::as_str)
    }
}

/// Time that each stage took for one picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// File to RGB pixels; of a live source, a compressed frame to pixels, and any frame to RGB where a sink shows pictures.
    pub decode: Duration,
    /// RGB pixels to the network's input.
    pub preprocess: Duration,
    /// The vision network.
    pub vision: Duration,
    /// Box decoding, NMS and region embeddings.
    pub regions: Duration,
    /// Scores of regions and picture, NMS a label.
    pub matching: Duration,
}

impl Timing {
    /// All stages together.
    pub fn total(&self) -> Duration {
        self.decode + self.preprocess + self.vision + self.regions + self.matching
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

#[cfg(test)]
mod schema_tests;
