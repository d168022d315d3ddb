//! One thing that is followed: its motion, looks and name.

use std::time::Duration;

use super::motion::Motion;
use super::votes::Votes;
use super::{Observation, Settings, Track};
use crate::geometry::dot;

/// Share of the past in a track's embedding after one more sight of it (as in FairMOT, Zhang et al. 2021).
const MEMORY: f32 = 0.9;

/// A track as the tracker keeps it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Given when it is confirmed.
    pub id: Option<u64>,
    /// At the time of the frame looked at last.
    pub motion: Motion,
    votes: Votes,
    /// Unit norm; empty while no sight of it had an embedding.
    embedding: Vec<f32>,
    /// Frames in which it was seen.
    pub hits: u32,
    first_seen: Duration,
    /// When it was seen last.
    pub last_seen: Duration,
    /// Frames looked at since it was seen.
    pub misses: u32,
}

impl Target {
    /// A thing seen for the first time; `None` if the observation names nothing.
    pub fn new(clock: Duration, seen: &Observation, settings: &Settings) -> Option<Self> {
        Some(Self {
            id: None,
            motion: Motion::new(&seen.rect, settings),
            votes: Votes::new(seen.labels)?,
            embedding: seen.embedding.and_then(unit).unwrap_or_default(),
            hits: 1,
            first_seen: clock,
            last_seen: clock,
            misses: 0,
        })
    }

    /// The thing was seen again.
    pub fn observe(&mut self, clock: Duration, seen: &Observation, settings: &Settings) {
        self.motion.correct(&seen.rect, !seen.confident, settings);
        self.votes.add(seen.labels, settings.vote_half_life);
        // What is half hidden looks like what hides it.
        if let Some(looks) = seen.embedding.filter(|_| seen.confident).and_then(unit) {
            if self.embedding.len() == looks.len() {
                for (mean, new) in self.embedding.iter_mut().zip(&looks) {
                    *mean = MEMORY * *mean + (1.0 - MEMORY) * new;
                }
                self.embedding = unit(&self.embedding).unwrap_or(looks);
            } else {
                self.embedding = looks;
            }
        }
        self.hits = self.hits.saturating_add(1);
        self.last_seen = clock;
        self.misses = 0;
    }

    /// Cosine of the embeddings; `None` where there are not two that can be compared.
    pub fn similarity(&self, seen: &Observation) -> Option<f32> {
        let other = seen.embedding.filter(|e| e.len() == self.embedding.len() && !e.is_empty())?;
        let cosine = dot(&self.embedding, other);
        cosine.is_finite().then(|| cosine.clamp(-1.0, 1.0))
    }

    /// What is reported when it has ended.
    pub fn farewell(&self) -> Option<Track> {
        self.report(self.last_seen, &self.motion, false)
    }

    /// What is reported, once it is confirmed, of the thing with this motion.
    pub fn report(&self, clock: Duration, motion: &Motion, seen: bool) -> Option<Track> {
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

/// The vector at length 1; `None` if it has none.
fn unit(v: &[f32]) -> Option<Vec<f32>> {
    let length = dot(v, v).sqrt();
    (length.is_finite() && length > 1e-6).then(|| v.iter().map(|x| x / length).collect())
}
