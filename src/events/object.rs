//! Tracked objects, and the filter that decides which of them count.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::settings::{Anchor, Label};
use super::shape::Point;
use crate::track::Track;

/// A track since it appeared.
#[derive(Debug)]
pub(super) struct TrackedObject {
    pub label: Arc<str>,
    /// Whether it was seen in this frame: only then is its position new.
    pub seen: bool,
    /// Whether the last frame on which the detector ran showed it. In between it counts as still there.
    pub visible: bool,
    /// Whether the tracker has lost it.
    pub gone: bool,
    /// Age of the track when it was last visible.
    pub stayed: Duration,
    /// Left, top, right, bottom where it was last seen, in fractions of the picture.
    bounds: [f64; 4],
    /// Newest last.
    scores: VecDeque<f32>,
}

impl TrackedObject {
    pub(crate) fn new(track: &Track) -> Self {
        Self {
            label: track.label.clone(),
            seen: false,
            visible: false,
            gone: false,
            stayed: Duration::ZERO,
            bounds: [0.0; 4],
            scores: VecDeque::new(),
        }
    }

    /// Updates it from its track in a picture of `size`; the last `frames` scores are kept.
    pub(crate) fn update(&mut self, track: &Track, size: (u32, u32), looked: bool, frames: usize) {
        self.gone = false;
        let [w, h] = [size.0, size.1].map(f64::from);
        let r = track.rect;
        let bounds = [f64::from(r.x0) / w, f64::from(r.y0) / h, f64::from(r.x1) / w, f64::from(r.y1) / h];
        self.seen = track.seen && track.score.is_finite() && bounds.iter().all(|v| v.is_finite());
        if self.label != track.label {
            self.label = track.label.clone();
            self.scores.clear();
        }
        if self.seen {
            self.bounds = bounds;
            self.scores.push_back(track.score);
            self.scores.drain(..self.scores.len().saturating_sub(frames));
        }
        self.visible = self.seen || self.visible && !looked;
        if self.visible {
            self.stayed = self.stayed.max(track.age);
        }
    }

    /// Anchor point where it was last seen, clamped to the picture.
    pub(crate) fn anchor(&self, anchor: Anchor) -> Point {
        let [x0, y0, x1, y1] = self.bounds;
        let y = match anchor {
            Anchor::Bottom => y1,
            Anchor::Centre => (y0 + y1) / 2.0,
        };
        [((x0 + x1) / 2.0).clamp(0.0, 1.0), y.clamp(0.0, 1.0)]
    }

    fn area(&self) -> f64 {
        let [x0, y0, x1, y1] = self.bounds;
        (x1 - x0).max(0.0) * (y1 - y0).max(0.0)
    }

    fn score(&self) -> f32 {
        let mut scores: Vec<f32> = self.scores.iter().copied().collect();
        scores.sort_by(f32::total_cmp);
        scores.get(scores.len() / 2).copied().unwrap_or(0.0)
    }
}

/// Which objects count in a zone or at a line.
#[derive(Debug)]
pub(super) struct Filter {
    labels: Vec<String>,
    min_area: f32,
    rules: Arc<[Label]>,
}

impl Filter {
    pub(crate) fn new(labels: &[String], min_area: f32, rules: &Arc<[Label]>) -> Self {
        Self { labels: labels.to_vec(), min_area, rules: rules.clone() }
    }

    /// Whether a name counts.
    pub(crate) fn accepts_label(&self, label: &str) -> bool {
        self.labels.is_empty() || self.labels.iter().any(|name| name == label)
    }

    /// Whether an object counts, as it was last seen.
    pub(crate) fn accepts(&self, object: &TrackedObject) -> bool {
        let rule = self.rules.iter().find(|rule| *rule.name == *object.label);
        let threshold = rule.and_then(|rule| rule.threshold).unwrap_or(0.0);
        let min_area = rule.map_or(0.0, |rule| rule.min_area).max(self.min_area);
        self.accepts_label(&object.label)
            && object.score() >= threshold
            && object.area() >= f64::from(min_area)
    }
}
