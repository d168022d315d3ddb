//! Multi-object tracking: ByteTrack's two-stage association (Zhang et al. 2022) with times in
//! seconds, appearance as a tie-breaker and names decided by vote. `docs/tracking.md` measures what
//! each part contributes.

pub(crate) mod assignment;
mod association;
mod motion;
mod settings;
mod target;
mod tracker;
mod votes;

use std::sync::Arc;

use crate::geometry::Rect;

pub(crate) use settings::Settings;
pub(crate) use tracker::Tracker;

/// One object that was seen in several frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Unique per source, from 1 in order of confirmation; never reused while the source runs.
    pub id: u64,
    /// Name, decided by a vote over the observations so far.
    pub label: Arc<str>,
    /// Probability that the name is right, 0 to 1.
    pub score: f32,
    /// Its box in pixels of the source picture; predicted if it was not seen.
    pub rect: Rect,
    /// Velocity of the box's centre in pixels per second, right and down.
    pub velocity: [f32; 2],
    /// Whether it was seen in this frame.
    pub seen: bool,
    /// Time since it was first seen.
    pub age: std::time::Duration,
}

/// One detected region of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observation<'a> {
    /// Its box in pixels of the source picture. Boxes without area or with invalid coordinates (NaN, beyond a
    /// million pixels) are ignored.
    pub rect: Rect,
    /// Names for this object with their probabilities, 0 to 1. An observation without names
    /// only continues tracks.
    pub labels: &'a [(Arc<str>, f32)],
    /// Whether it reaches its threshold; if not, it only continues tracks (ByteTrack's second stage).
    pub confident: bool,
    /// Region embedding of unit norm, any dimension.
    pub embedding: Option<&'a [f32]>,
}

/// Result of one frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Update {
    /// All confirmed tracks that have not ended, seen or not, in ascending order of id.
    pub tracks: Vec<Track>,
    /// Ids of those `tracks` that were confirmed in this frame.
    pub appeared: Vec<u64>,
    /// Tracks that ended because they were out of sight for too long. Their age is as of when
    /// they were last seen.
    pub lost: Vec<Track>,
}

#[cfg(test)]
mod tests;
