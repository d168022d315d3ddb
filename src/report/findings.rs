//! Names with their scores, for boxes and for the whole picture.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Grid, Timing};
use crate::geometry::Rect;

/// A named box.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Detection {
    /// What is printed.
    pub label: Arc<str>,
    /// Probability that the box shows what the prompt says, 0 to 1.
    pub score: f32,
    /// Where, in pixels of the picture.
    pub rect: Rect,
}

impl Detection {
    /// A named box of one's own, for drawing or tests.
    pub fn new(label: impl Into<Arc<str>>, score: f32, rect: Rect) -> Self {
        Self { label: label.into(), score, rect }
    }
}

/// A name for the whole picture.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Tag {
    /// What is printed.
    pub label: Arc<str>,
    /// Probability that the picture shows what the prompt says, 0 to 1.
    pub score: f32,
}

impl Tag {
    /// A tag of one's own, for drawing or tests.
    pub fn new(label: impl Into<Arc<str>>, score: f32) -> Self {
        Self { label: label.into(), score }
    }
}

/// Everything in one picture whose score reaches its threshold.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Findings {
    /// Names for the whole picture, best first.
    pub tags: Vec<Tag>,
    /// Named boxes, best first.
    pub detections: Vec<Detection>,
    /// Boxes that are to be made unrecognisable before anybody sees the picture, with their margins:
    /// [`DetectorBuilder::blur`](crate::detector::DetectorBuilder::blur).
    pub blurred: Vec<Rect>,
    /// The tiles that were looked at besides the whole picture, if any:
    /// [`DetectorBuilder::tiles`](crate::detector::DetectorBuilder::tiles).
    pub tiles: Option<Grid>,
    /// Time of each stage, of all looks together.
    pub timing: Timing,
}

/// Which boxes pictures and tables show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShownBoxes {
    /// Those of tracks: confirmed, with stable ids.
    Tracks,
    /// Those found in this frame alone.
    Detections,
}
