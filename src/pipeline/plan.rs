//! What the user asked for, ready for use. A reload replaces it as a whole.

use std::sync::Arc;

use crate::config::{Settings, Target};
use crate::error::Result;
use crate::events;
use crate::track;
use crate::vocabulary::{Prompt, Vocabulary};

/// What to look for in all sources, and how.
pub struct Plan {
    /// Names and their embeddings.
    pub vocabulary: Vocabulary,
    /// The vocabulary's names, as tracks and events share them.
    pub names: Vec<Arc<str>>,
    /// Lowest score to report, one a name.
    pub thresholds: Vec<f32>,
    /// How things are followed.
    pub track: track::Settings,
    /// What happens in each source.
    pub events: Vec<events::Settings>,
    /// Prompts of zones, source by source.
    pub states: Vec<Vec<StatePrompts>>,
    /// How often to look.
    pub target: Target,
    /// Temperature from which that becomes less, in degrees Celsius.
    pub max_celsius: f32,
    /// Whether to skip frames in which nothing has moved.
    pub skip_still: bool,
}

/// The prompts of a zone whose state is asked for.
pub struct StatePrompts {
    /// The zone's place among its source's zones.
    pub zone: usize,
    /// Its bounding box in fractions of the picture: x0, y0, x1, y1.
    pub rect: [f32; 4],
    /// The prompts' embeddings.
    pub prompts: Vocabulary,
}

impl Plan {
    /// Puts together what `settings` say for so many sources. `embed` gives the vocabulary of a zone's prompts; `threshold` is
    /// the model's own for a label.
    ///
    /// # Errors
    /// Settings that contradict themselves, and those of `embed`.
    pub fn new(
        settings: &Settings,
        vocabulary: Vocabulary,
        threshold: impl Fn(&Vocabulary, usize) -> f32,
        embed: impl Fn(&[Prompt]) -> Result<Vocabulary>,
    ) -> Result<Self> {
        let names: Vec<Arc<str>> = vocabulary.names().iter().map(|name| name.as_str().into()).collect();
        let own = |name: &str| settings.label.iter().find(|label| label.name == name)?.threshold;
        let lowest = |(label, name): (usize, &Arc<str>)| {
            settings.threshold.or(own(name)).unwrap_or_else(|| threshold(&vocabulary, label))
        };
        let thresholds = names.iter().enumerate().map(lowest).collect();
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
            names,
            thresholds,
            vocabulary,
            track: settings.track.clone(),
            events,
            states,
            target: settings.fps,
            max_celsius: settings.max_celsius,
            skip_still: settings.skip_still,
        })
    }
}
