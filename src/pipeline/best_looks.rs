//! The best look at each track, for whoever searches what was seen.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::frame_result::FrameResult;
use crate::events::Event;
use crate::model::FeatureVector;
use crate::report::{Sighting, VectorSpace};
use crate::track::Track;

/// Least overlap of a track's box with the region that it was seen in.
const OVERLAP: f32 = 0.5;
/// How many times better a look must be to take the place of the best so far: vectors of nearly the same look
/// tell nearly the same.
const BETTER: f32 = 1.2;

/// The best look at each track of a source.
#[derive(Default)]
pub(crate) struct BestLooks {
    looks: HashMap<u64, Best>,
}

struct Best {
    quality: f32,
    /// Whether it has been told of.
    told: bool,
    sighting: Arc<Sighting>,
}

/// The frame that was looked at.
pub(crate) struct Looked {
    /// Networks that looked.
    pub space: Arc<VectorSpace>,
    /// When it was captured.
    pub time: SystemTime,
    /// The source's count of frames.
    pub frame: u64,
    /// Width and height in pixels.
    pub size: (u32, u32),
}

impl BestLooks {
    /// Compares a look with the best so far at each track that it shows.
    pub(crate) fn look(&mut self, looked: &Looked, tracks: &[Track], result: &FrameResult) {
        let area = looked.size.0 as f32 * looked.size.1 as f32;
        for track in tracks.iter().filter(|track| track.seen) {
            let Some(region) = result.region_of(&track.rect, OVERLAP) else { continue };
            // Large and certain: a thing far away or half hidden tells less.
            let quality = track.score * (region.rect.area() / area.max(1.0)).sqrt();
            let known = self.looks.get(&track.id);
            if known.is_some_and(|best| quality < best.quality * BETTER) {
                continue;
            }
            let Some(embedding) = FeatureVector::quantised(region.embedding) else { continue };
            let appeared = known.map_or(looked.time, |best| best.sighting.appeared);
            let sighting = Sighting {
                space: Arc::clone(&looked.space),
                track: track.id,
                appeared,
                time: looked.time,
                frame: looked.frame,
                label: Arc::clone(&track.label),
                score: track.score,
                rect: region.rect,
                objectness: region.objectness,
                embedding,
                features: region.features.cloned(),
            };
            self.looks.insert(track.id, Best { quality, told: false, sighting: Arc::new(sighting) });
        }
    }

    /// The looks that these events make worth telling of: the first at a track that has appeared, and the best at
    /// one that has gone, if it is a better one.
    pub(crate) fn told_by(&mut self, events: &[Event]) -> Vec<Arc<Sighting>> {
        let mut told = Vec::new();
        for event in events {
            match event {
                Event::Appear { track, .. } => {
                    if let Some(best) = self.looks.get_mut(track) {
                        best.told = true;
                        told.push(Arc::clone(&best.sighting));
                    }
                }
                Event::Disappear { track, .. } => {
                    let gone = self.looks.remove(track).filter(|best| !best.told);
                    told.extend(gone.map(|best| best.sighting));
                }
                _ => {}
            }
        }
        told
    }
}
