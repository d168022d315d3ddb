//! One tracked object: its motion, appearance and name.

use std::sync::Arc;
use std::time::Duration;

use super::motion::Motion;
use super::votes::Votes;
use super::{Observation, Settings, Track};
use crate::geometry::Rect;
use edgeclip_kernels::dot;

/// Weight of the past in a track's running mean embedding (as in FairMOT, Zhang et al. 2021).
const EMBEDDING_MEMORY: f32 = 0.9;

/// How uncertain the edges are of what stays below its threshold, and of a part of what was expected, against usual ones.
/// Who is seen in part has neither shrunk nor leapt to where that part is.
const WEAK_DOUBT: f64 = 2.0;
const PART_DOUBT: f64 = 3.0;
/// Share of a part that lies in the whole, and its area beside that of the whole.
const INSIDE: f32 = 0.5;
const SMALLER: f32 = 0.6;

/// The tracker's internal state of a track.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Assigned on confirmation.
    pub id: Option<u64>,
    /// At the time of the last processed frame.
    pub motion: Motion,
    votes: Votes,
    /// Unit norm; empty as long as no observation had an embedding.
    embedding: Vec<f32>,
    /// Number of frames in which it was seen.
    pub hits: u32,
    first_seen: Duration,
    /// When it was seen last.
    pub last_seen: Duration,
    /// Number of processed frames since it was last seen.
    pub misses: u32,
    /// Whether nobody looked where it is expected in the last frame.
    pub waits: bool,
}

impl Target {
    /// An object seen for the first time; `None` if the observation has no name.
    pub(crate) fn new(clock: Duration, seen: &Observation, settings: &Settings) -> Option<Self> {
        Some(Self {
            id: None,
            motion: Motion::new(&seen.rect, settings),
            votes: Votes::new(seen.labels)?,
            embedding: seen.embedding.and_then(unit).unwrap_or_default(),
            hits: 1,
            first_seen: clock,
            last_seen: clock,
            misses: 0,
            waits: false,
        })
    }

    /// Updates the target with a new observation.
    pub(crate) fn observe(&mut self, clock: Duration, seen: &Observation, settings: &Settings) {
        let part = is_part(&seen.rect, &self.motion.rect());
        let doubt = if part {
            PART_DOUBT
        } else if seen.confident {
            1.0
        } else {
            WEAK_DOUBT
        };
        self.motion.correct(&seen.rect, doubt, settings);
        self.votes.add(seen.labels, settings.vote_half_life);
        // An object that is half hidden looks like what hides it, so only confident observations
        // update the embedding.
        if let Some(embedding) = seen.embedding.filter(|_| seen.confident).and_then(unit) {
            if self.embedding.len() == embedding.len() {
                for (mean, new) in self.embedding.iter_mut().zip(&embedding) {
                    *mean = EMBEDDING_MEMORY * *mean + (1.0 - EMBEDDING_MEMORY) * new;
                }
                self.embedding = unit(&self.embedding).unwrap_or(embedding);
            } else {
                self.embedding = embedding;
            }
        }
        self.hits = self.hits.saturating_add(1);
        self.last_seen = clock;
        self.misses = 0;
        self.waits = false;
    }

    /// Cosine similarity of the embeddings; `None` if there are not two of equal dimension.
    pub(crate) fn similarity(&self, seen: &Observation) -> Option<f32> {
        let other = seen.embedding.filter(|e| e.len() == self.embedding.len() && !e.is_empty())?;
        let cosine = dot::of_floats(&self.embedding, other);
        cosine.is_finite().then(|| cosine.clamp(-1.0, 1.0))
    }

    /// Its name so far.
    pub(crate) fn label(&self) -> Option<&Arc<str>> {
        self.votes.winner().map(|(label, _)| label)
    }

    /// The last report of a confirmed target, when it has ended.
    pub(crate) fn final_report(&self) -> Option<Track> {
        self.report(self.last_seen, &self.motion, false)
    }

    /// The track to report, given its motion; `None` if it is not confirmed.
    pub(crate) fn report(&self, clock: Duration, motion: &Motion, seen: bool) -> Option<Track> {
        let (label, score) = self.votes.winner()?;
        Some(Track {
            id: self.id?,
            label: label.clone(),
            score,
            rect: motion.rect(),
            velocity: motion.velocity(),
            seen,
            age: clock.saturating_sub(self.first_seen),
        })
    }
}

/// Whether what is seen here may be a part of the `whole`, such as the tail of a cat: most of it lies inside, and it is much
/// smaller.
pub(super) fn is_part(rect: &Rect, whole: &Rect) -> bool {
    let common = rect.intersection(whole).map_or(0.0, |common| common.area());
    common > INSIDE * rect.area() && rect.area() < SMALLER * whole.area()
}

/// The vector scaled to unit length; `None` if its length is zero or not finite.
fn unit(v: &[f32]) -> Option<Vec<f32>> {
    let length = dot::of_floats(v, v).sqrt();
    (length.is_finite() && length > 1e-6).then(|| v.iter().map(|x| x / length).collect())
}
