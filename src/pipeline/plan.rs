//! What the user asked for, ready for use. A reload replaces it as a whole.

use super::blur::Blur;
use super::thresholds::{AskedScores, Thresholds};
use crate::config::{Look, Settings, Target};
use crate::error::Result;
use crate::events;
use crate::geometry::Rect;
use crate::model::ScoreSettings;
use crate::privacy::Masks;
use crate::track;
use crate::vocabulary::{Prompt, Vocabulary};

/// What to look for in all sources, and how.
pub(crate) struct Plan {
    /// Names and their embeddings.
    pub vocabulary: Vocabulary,
    /// Lowest scores to report.
    pub thresholds: Thresholds,
    /// How closely frames are looked at.
    pub look: Look,
    /// Tracking.
    pub track: track::Settings,
    /// Zones, lines and the like of each source.
    pub events: Vec<events::Settings>,
    /// Prompts of zones, one list per source.
    pub states: Vec<Vec<StatePrompts>>,
    /// What is black in the frames of each source.
    pub masks: Vec<Masks>,
    /// What is hidden in pictures.
    pub blur: Option<Blur>,
    /// How often to look.
    pub target: Target,
    /// Temperature above which the rate is lowered, in degrees Celsius.
    pub max_celsius: f32,
    /// Whether events tell what their objects look like.
    pub features: bool,
    /// Whether the best look at each track is told.
    pub best_looks: bool,
    /// Whether to skip frames in which nothing has moved.
    pub skip_still: bool,
}

/// The prompts of a zone whose state is asked for.
pub(crate) struct StatePrompts {
    /// The zone's place among its source's zones.
    pub zone: usize,
    /// Its bounding box in fractions of the picture: x0, y0, x1, y1.
    pub rect: [f32; 4],
    /// The prompts' embeddings.
    pub prompts: Vocabulary,
}

impl StatePrompts {
    /// The zone's bounding box in a picture of this size.
    pub(crate) fn pixels(&self, width: u32, height: u32) -> Rect {
        let ([x0, y0, x1, y1], w, h) = (self.rect, width as f32, height as f32);
        Rect { x0: x0 * w, y0: y0 * h, x1: x1 * w, y1: y1 * h }
    }
}

impl Plan {
    /// Puts together what `settings` say, `vocabulary` and `blur` aside, which are made of their words.
    /// `model` has the thresholds of labels that have none of their own; `embed` makes the vocabulary of a zone's
    /// prompts.
    ///
    /// # Errors
    /// Settings that contradict each other, and those of `embed`.
    pub(crate) fn new(
        settings: &Settings,
        vocabulary: Vocabulary,
        blur: Option<Blur>,
        model: &ScoreSettings,
        mut embed: impl FnMut(&[Prompt]) -> Result<Vocabulary>,
    ) -> Result<Self> {
        let own = |name: &str| settings.label.iter().find(|label| label.name == name)?.threshold;
        let asked = AskedScores { all: settings.threshold, tags: settings.tag_threshold };
        let thresholds = Thresholds::new(&vocabulary, model, asked, own);
        let events: Vec<events::Settings> =
            (0..settings.source.len()).map(|source| settings.events(source)).collect();
        let mut states = Vec::new();
        for source in &events {
            let engine = events::Engine::new(source)?;
            let mut prompts = Vec::new();
            for asked in engine.state_zones() {
                let words =
                    asked.prompts.into_iter().map(|(name, text)| Prompt { name: name.to_string(), text });
                let words: Vec<Prompt> = words.collect();
                prompts.push(StatePrompts { zone: asked.zone, rect: asked.rect, prompts: embed(&words)? });
            }
            states.push(prompts);
        }
        Ok(Self {
            thresholds,
            vocabulary,
            look: settings.look,
            track: settings.track.clone(),
            events,
            states,
            masks: (0..settings.source.len()).map(|source| Masks::new(settings.masks(source))).collect(),
            blur,
            target: settings.fps,
            max_celsius: settings.max_celsius,
            // Whoever is asked whether an event was right says so by its vector.
            features: settings.snapshot.is_some()
                || settings.history.is_some()
                || settings.http.as_ref().is_some_and(|http| http.commands),
            best_looks: settings.history.is_some(),
            skip_still: settings.skip_still,
        })
    }
}
