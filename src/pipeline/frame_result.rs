//! What one look at a frame yields for its source.

use std::sync::Arc;

use super::appearance::Appearance;
use super::blur::Hidden;
use super::detect::{Look, NamedRegion, Pipeline, WEAK};
use super::plan::{Plan, StatePrompts};
use super::tiles::Tile;
use crate::error::Result;
use crate::events::Event;
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::model::FeatureVector;
use crate::report::{FeatureRecord, Findings};
use crate::track::{Observation, Track};
use crate::vocabulary::{Entry, choice_scores};

/// What a look found.
#[derive(Default)]
pub(crate) struct FrameResult {
    /// What is reported.
    pub findings: Findings,
    /// Every tag's probability, reported or not.
    pub scene: Vec<(Arc<str>, f32)>,
    /// Zones with prompts, and their prompts' probabilities.
    pub states: Vec<(usize, Vec<f32>)>,
    /// What may have to be hidden in pictures.
    pub hidden: Vec<Hidden>,
    observed: Vec<Observed>,
    appearance: Appearance,
}

/// The owner of an [`Observation`]: a region with all the names that it may have.
struct Observed {
    region: usize,
    rect: Rect,
    labels: Vec<(Arc<str>, f32)>,
    confident: bool,
    objectness: f32,
    embedding: Vec<f32>,
}

/// A region that was seen.
pub(super) struct SeenRegion<'a> {
    /// Where, in pixels of the picture.
    pub rect: Rect,
    /// Logit of its being a thing at all.
    pub objectness: f32,
    /// Unit norm.
    pub embedding: &'a [f32],
    /// What examples are compared with, if the plan asks for it.
    pub features: Option<&'a FeatureVector>,
}

impl FrameResult {
    /// Looks at a frame of the source with this index, and closely at `crops` of it; finds what is to be hidden if it is
    /// `shown`.
    ///
    /// # Errors
    /// Those of [`Pipeline::look`].
    pub(crate) fn look(
        pipeline: &Pipeline,
        plan: &Plan,
        source: usize,
        frame: &Frame<'_>,
        shown: bool,
        crops: &[Tile],
    ) -> Result<Self> {
        let blur = plan.blur.as_ref().filter(|_| shown);
        let mut hidden = Vec::new();
        let wanted = |_| crops.to_vec();
        let mut look = pipeline.look_closely(frame, &plan.vocabulary, wanted, |look, corner| {
            let found = blur.map_or_else(|| Ok(Vec::new()), |blur| blur.find(pipeline, look))?;
            hidden.extend(found.into_iter().map(|hidden| hidden.shift(corner)));
            Ok(())
        })?;
        let states = plan.states.get(source).map_or(&[][..], Vec::as_slice);
        let states = states_of(pipeline, &look, states, (frame.width, frame.height))?;
        let names = plan.vocabulary.names();
        let named = pipeline.named(&look, &plan.vocabulary, |label| WEAK * plan.thresholds.of_box(label));
        let findings = look.findings(&named, names, &plan.thresholds);
        let observed = observed(&mut look, &named, plan);
        let appearance = if plan.features {
            let boxes = observed.iter().map(|region| region.rect).collect();
            Appearance::of(pipeline, plan, source, &look.encoded, boxes, (frame.width, frame.height))?
        } else {
            Appearance::default()
        };
        let scene = names.iter().cloned().zip(look.tags).zip(plan.vocabulary.entries());
        let scene = scene.filter(|(_, entry)| entry.is_reported()).map(|(tag, _)| tag).collect();
        Ok(Self { findings, scene, states, hidden, observed, appearance })
    }

    /// What the object of an event looks like; `None` where that is not known.
    pub(crate) fn features(&self, event: &Event, tracks: &[Track]) -> Option<FeatureRecord> {
        self.appearance.of_event(event, tracks)
    }

    /// The region that overlaps `rect` most, if the overlap (IoU) is at least `least`.
    pub(super) fn region_of(&self, rect: &Rect, least: f32) -> Option<SeenRegion<'_>> {
        let overlaps =
            self.observed.iter().enumerate().map(|(index, seen)| (index, seen, seen.rect.iou(rect)));
        let (index, seen, overlap) = overlaps.max_by(|a, b| a.2.total_cmp(&b.2))?;
        (overlap >= least).then(|| SeenRegion {
            rect: seen.rect,
            objectness: seen.objectness,
            embedding: &seen.embedding,
            features: self.appearance.of_object(index),
        })
    }

    /// The regions as the tracker takes them.
    pub(crate) fn observations(&self) -> Vec<Observation<'_>> {
        let regions = self.observed.iter().map(|region| Observation {
            rect: region.rect,
            labels: &region.labels,
            confident: region.confident,
            embedding: Some(region.embedding.as_slice()).filter(|embedding| !embedding.is_empty()),
        });
        regions.collect()
    }
}

/// The named regions with all names of each, in the order of their best name. Names that mean nearly the same
/// are all voted on, although only the best is reported: whichever leads in one frame, the vote stays with the
/// one that fits best over time. Takes the regions' embeddings out of `look`.
fn observed(look: &mut Look, named: &[NamedRegion], plan: &Plan) -> Vec<Observed> {
    let name = |label: usize| plan.vocabulary.names().get(label).cloned().unwrap_or_default();
    let has_boxes = |label: usize| plan.vocabulary.entries().get(label).is_some_and(Entry::has_boxes);
    let mut observed: Vec<Observed> = Vec::new();
    for found in named {
        let confident = found.score >= plan.thresholds.of_box(found.label);
        let Some(region) = look.regions.get_mut(found.region) else { continue };
        let score = |label: usize| region.scores.get(label).copied().unwrap_or_default();
        let rivals = plan.vocabulary.places().rivals(found.label);
        let rivals = rivals
            .filter(|rival| has_boxes(*rival) && score(*rival) >= WEAK * plan.thresholds.of_box(*rival));
        let mut labels = vec![(name(found.label), found.score)];
        labels.extend(rivals.map(|rival| (name(rival), score(rival))));
        if let Some(known) = observed.iter_mut().find(|known| known.region == found.region) {
            labels.retain(|(label, _)| known.labels.iter().all(|(other, _)| other != label));
            known.labels.extend(labels);
            known.confident |= confident;
            continue;
        }
        observed.push(Observed {
            region: found.region,
            rect: found.rect,
            labels,
            confident,
            objectness: region.objectness,
            embedding: std::mem::take(&mut region.embedding),
        });
    }
    observed
}

/// Probabilities of each zone's prompts.
fn states_of(
    pipeline: &Pipeline,
    look: &Look,
    states: &[StatePrompts],
    (width, height): (u32, u32),
) -> Result<Vec<(usize, Vec<f32>)>> {
    let rects: Vec<Rect> = states.iter().map(|state| state.pixels(width, height)).collect();
    let looks: Vec<(Vec<f32>, Option<FeatureVector>)> = if states
        .iter()
        .any(|state| state.prompts.examples().is_some())
    {
        pipeline.embed_and_compare(&look.encoded, &rects)?
    } else {
        pipeline.embed_boxes(&look.encoded, &rects)?.into_iter().map(|embedding| (embedding, None)).collect()
    };
    let scale = pipeline.manifest().score.region.scale;
    let probabilities = |(state, (embedding, vector)): (&StatePrompts, (Vec<f32>, Option<FeatureVector>))| {
        let seen = pipeline.features().zip(vector.as_ref());
        (state.zone, choice_scores(&embedding, &state.prompts, scale, seen))
    };
    Ok(states.iter().zip(looks).map(probabilities).collect())
}
