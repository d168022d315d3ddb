//! Following things from frame to frame: ByteTrack's two-stage association (Zhang et al. 2022) with times in seconds, looks
//! as a tie-breaker and names by vote. `docs/tracking.md` says what each part is worth.

pub mod assignment;
mod association;
mod motion;
mod settings;
mod target;
mod tracker;
mod votes;

use std::sync::Arc;

use crate::geometry::Rect;

pub use settings::Settings;
pub use tracker::Tracker;

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

/// One region in which something was detected in a frame.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// Where, in pixels of the source picture. What has no area or is no place (NaN, beyond a million pixels) is ignored.
    pub rect: Rect,
    /// Names of this one thing with their probabilities, 0 to 1. Without a name it only continues tracks.
    pub labels: &'a [(Arc<str>, f32)],
    /// Whether it reaches its threshold; otherwise it only continues tracks (ByteTrack's second stage).
    pub confident: bool,
    /// Region embedding, unit norm.
    pub embedding: Option<&'a [f32]>,
}

/// What a frame changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    /// All confirmed tracks that have not ended, by rising id; those that were not seen included.
    pub tracks: Vec<Track>,
    /// Those of `tracks` that were confirmed in this frame.
    pub appeared: Vec<u64>,
    /// Tracks that ended: out of sight for too long. Their age is that at the last sight.
    pub lost: Vec<Track>,
}

#[cfg(test)]
mod tests;
