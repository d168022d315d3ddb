//! Following things from frame to frame.

use std::sync::Arc;

use crate::geometry::Rect;

/// One thing that was seen in several frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// From 1, in the order of appearance; never given twice while a source runs.
    pub id: u64,
    /// Name, decided by a vote over the frames so far.
    pub label: Arc<str>,
    /// Probability that the name is right, 0 to 1.
    pub score: f32,
    /// Where, in pixels of the source picture; predicted where it was not seen.
    pub rect: Rect,
    /// Movement of the box's centre in pixels a second, right and down.
    pub velocity: [f32; 2],
    /// Whether it was seen in this frame.
    pub seen: bool,
    /// Time since it was first seen.
    pub age: std::time::Duration,
}
