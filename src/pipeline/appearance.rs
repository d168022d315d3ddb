//! What objects, zones and the scene look like, kept for the events of a frame.

use std::sync::Arc;

use super::detect::{Encoded, Pipeline};
use super::plan::Plan;
use crate::error::Result;
use crate::events::Event;
use crate::geometry::Rect;
use crate::model::{FeatureVector, SpaceId};
use crate::report::FeatureRecord;
use crate::track::Track;

/// Least overlap of a track's box with the region that it was seen in.
const OVERLAP: f32 = 0.3;

/// Feature vectors of a look.
#[derive(Default)]
pub(crate) struct Appearance {
    /// `None` where the model knows words alone.
    space: Option<SpaceId>,
    objects: Vec<(Rect, Option<FeatureVector>)>,
    /// By the names of zones.
    zones: Vec<(Arc<str>, Rect, Option<FeatureVector>)>,
    picture: Option<FeatureVector>,
}

impl Appearance {
    /// That of objects in `boxes`, of the source's zones and of the whole picture.
    ///
    /// # Errors
    /// Those of [`Pipeline::box_features`].
    pub(crate) fn of(
        pipeline: &Pipeline,
        plan: &Plan,
        source: usize,
        encoded: &Encoded,
        boxes: Vec<Rect>,
        (width, height): (u32, u32),
    ) -> Result<Self> {
        let Some(space) = SpaceId::of(pipeline.manifest()) else { return Ok(Self::default()) };
        let vectors = pipeline.box_features(encoded, &boxes)?;
        let states = plan.states.get(source).into_iter().flatten();
        let zone = |zone: usize| plan.events.get(source).and_then(|events| events.zones.get(zone));
        let zones = states
            .filter_map(|state| Some((zone(state.zone)?.name.as_str().into(), state.pixels(width, height))));
        let (names, rects): (Vec<Arc<str>>, Vec<Rect>) = zones.unzip();
        let shown = pipeline.box_features(encoded, &rects)?;
        let zones =
            names.into_iter().zip(rects).zip(shown).map(|((name, rect), vector)| (name, rect, vector));
        Ok(Self {
            space: Some(space),
            objects: boxes.into_iter().zip(vectors).collect(),
            zones: zones.collect(),
            picture: pipeline.picture_features(encoded)?,
        })
    }

    /// That of the box with this index.
    pub(crate) fn of_object(&self, index: usize) -> Option<&FeatureVector> {
        self.objects.get(index)?.1.as_ref()
    }

    /// What an event is about: the region that a track was seen in, a zone, or the picture.
    pub(crate) fn of_event(&self, event: &Event, tracks: &[Track]) -> Option<FeatureRecord> {
        let space = self.space.as_ref()?;
        let (rect, vector) = match event {
            Event::Appear { track, .. }
            | Event::Enter { track, .. }
            | Event::Leave { track, .. }
            | Event::Dwell { track, .. }
            | Event::Cross { track, .. } => {
                let track = tracks.iter().find(|other| other.id == *track)?;
                let overlap = |(rect, _): &&(Rect, _)| track.rect.iou(rect);
                let nearest = self.objects.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)))?;
                let (rect, vector) = Some(nearest).filter(|nearest| overlap(nearest) >= OVERLAP)?;
                (Some(*rect), vector)
            }
            Event::State { zone, .. } => {
                let (_, rect, vector) = self.zones.iter().find(|(name, ..)| name == zone)?;
                (Some(*rect), vector)
            }
            Event::Tag { .. } => (None, &self.picture),
            Event::Disappear { .. } | Event::Occupancy { .. } => return None,
        };
        Some(FeatureRecord::new(space, vector.as_ref()?, rect))
    }
}
