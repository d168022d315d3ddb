//! What one look at a frame yields for its source, by names.

use std::sync::Arc;

use super::detect::{Look, Pipeline};
use super::plan::{Plan, StatePrompts};
use crate::error::Result;
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::sinks::{Named, Timing};
use crate::track::Observation;

/// Part of a label's threshold from which a region may continue a track, though it begins none.
const WEAK: f32 = 0.4;

/// What a look found.
#[derive(Default)]
pub struct Seen {
    /// Reported tags, best first.
    pub tags: Vec<Named>,
    /// Reported boxes, best first.
    pub detections: Vec<Named>,
    /// Every tag's probability.
    pub scene: Vec<(Arc<str>, f32)>,
    /// Zones with prompts, and their prompts' probabilities.
    pub states: Vec<(usize, Vec<f32>)>,
    /// Time of each stage.
    pub timing: Timing,
    regions: Vec<NamedRegion>,
}

/// A region with all the names that it may have.
struct NamedRegion {
    rect: Rect,
    labels: Vec<(Arc<str>, f32)>,
    confident: bool,
    embedding: Vec<f32>,
}

impl Seen {
    /// Looks at a frame of the source with this index.
    ///
    /// # Errors
    /// Those of [`Pipeline::look`].
    pub fn look(pipeline: &Pipeline, plan: &Plan, source: usize, frame: &Frame<'_>) -> Result<Self> {
        let mut look = pipeline.look(frame, &plan.vocabulary)?;
        let states = plan.states.get(source).map_or(&[][..], Vec::as_slice);
        let states = states_of(pipeline, &look, states, (frame.width, frame.height))?;
        let threshold = |label: usize| plan.thresholds.get(label).copied().unwrap_or(1.0);
        let name = |label: usize| plan.names.get(label).cloned().unwrap_or_default();

        let mut seen = Self { states, timing: look.timing, ..Self::default() };
        let mut order: Vec<usize> = Vec::new();
        for found in pipeline.named(&look, |label| WEAK * threshold(label)) {
            let (label, score, rect) =
                (name(found.detection.label), found.detection.score, found.detection.rect);
            let confident = score >= threshold(found.detection.label);
            if confident {
                seen.detections.push(Named { label: Arc::clone(&label), score, rect: Some(rect) });
            }
            match order.iter().position(|region| *region == found.region) {
                Some(at) => {
                    if let Some(region) = seen.regions.get_mut(at) {
                        region.labels.push((label, score));
                        region.confident |= confident;
                    }
                }
                None => {
                    let embedding = look
                        .regions
                        .get_mut(found.region)
                        .map(|region| std::mem::take(&mut region.embedding));
                    let embedding = embedding.unwrap_or_default();
                    order.push(found.region);
                    seen.regions.push(NamedRegion {
                        rect,
                        labels: vec![(label, score)],
                        confident,
                        embedding,
                    });
                }
            }
        }
        seen.scene = look.tags.iter().enumerate().map(|(label, score)| (name(label), *score)).collect();
        let reported = look.tags.iter().enumerate().filter(|(label, score)| **score >= threshold(*label));
        seen.tags =
            reported.map(|(label, score)| Named { label: name(label), score: *score, rect: None }).collect();
        seen.tags.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(seen)
    }

    /// The regions as the tracker takes them.
    pub fn observations(&self) -> Vec<Observation<'_>> {
        let regions = self.regions.iter().map(|region| Observation {
            rect: region.rect,
            labels: &region.labels,
            confident: region.confident,
            embedding: Some(region.embedding.as_slice()).filter(|embedding| !embedding.is_empty()),
        });
        regions.collect()
    }
}

/// Probabilities of each zone's prompts: softmax of the scaled cosines between the zone's region embedding and the prompts.
fn states_of(
    pipeline: &Pipeline,
    look: &Look,
    states: &[StatePrompts],
    (width, height): (u32, u32),
) -> Result<Vec<(usize, Vec<f32>)>> {
    let pixels = |[x0, y0, x1, y1]: [f32; 4]| {
        let (w, h) = (width as f32, height as f32);
        Rect { x0: x0 * w, y0: y0 * h, x1: x1 * w, y1: y1 * h }
    };
    let rects: Vec<Rect> = states.iter().map(|state| pixels(state.rect)).collect();
    let embeddings = pipeline.embed_boxes(&look.encoded, &rects)?;
    let scale = pipeline.manifest().score.region.scale;
    let probabilities = |(state, embedding): (&StatePrompts, Vec<f32>)| {
        let logits: Vec<f32> =
            state.prompts.embeddings().dots(&embedding).map(|cosine| scale * cosine).collect();
        (state.zone, softmax(&logits))
    };
    Ok(states.iter().zip(embeddings).map(probabilities).collect())
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_and_keep_their_order() {
        let found = softmax(&[1000.0, 998.0, 0.0]);
        assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((found[0] - 0.880_797).abs() < 1e-5 && found[1] > found[2], "{found:?}");
        assert!(softmax(&[]).is_empty());
    }
}
