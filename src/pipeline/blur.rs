//! What is pixelated in pictures: regions that certain words find, whether they are reported or not, and where
//! they are expected while they are not seen.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::detect::{Look, Pipeline, WEAK};
use crate::error::Result;
use crate::geometry::Rect;
use crate::privacy::with_margin;
use crate::report::Detection;
use crate::track::{Observation, Settings, Track, Tracker};
use crate::vocabulary::{Prompt, Vocabulary};

/// Least seconds for which something out of sight stays hidden where it is expected.
const HELD: f32 = 2.0;

/// Cosine from which an everyday name is no alternative to a hidden word: a "mouth" ("face": 0.56) is no reason to
/// show one, a "cat" ("person": 0.51) is.
const RELATED: f32 = 0.55;
/// Words that mean people, of whom a face is a part: small networks find people, hardly ever faces.
const MEAN_PEOPLE: [&str; 11] = [
    "person",
    "persons",
    "people",
    "human",
    "humans",
    "pedestrian",
    "pedestrians",
    "face",
    "faces",
    "head",
    "heads",
];
/// What is looked for besides where one of them is to be hidden. Of a photo of a boy, "boy" may be all that is sure.
const PEOPLE: [&str; 6] = ["person", "man", "woman", "child", "boy", "girl"];

/// Words whose regions are hidden.
pub(crate) struct Blur {
    /// By itself, so that hidden words compete with none that are reported.
    vocabulary: Vocabulary,
    /// Lowest score of what is hidden.
    threshold: f32,
}

/// A region that one of the words may name.
pub(crate) struct Hidden {
    rect: Rect,
    /// Its best name, with the probability of being any of the words.
    labels: [(Arc<str>, f32); 1],
    /// Whether it is hidden for itself; if not, it only continues a track.
    confident: bool,
    embedding: Vec<f32>,
}

impl Hidden {
    /// The same, found in a part of a picture with this top left corner.
    pub(super) fn shift(self, corner: (u32, u32)) -> Self {
        Self { rect: self.rect.shift(corner), ..self }
    }
}

impl Blur {
    /// Hides what scores at least `threshold` for one of `prompts`. A name or prompt of `words`, which are
    /// reported, means that one; `embed` makes the vocabulary where there are others.
    ///
    /// # Errors
    /// Those of `embed`.
    pub(crate) fn new(
        prompts: &[Prompt],
        threshold: f32,
        words: &Vocabulary,
        embed: impl FnOnce(&[Prompt]) -> Result<Vocabulary>,
    ) -> Result<Self> {
        let mut prompts: Vec<Prompt> = prompts.iter().map(|prompt| words.meant(prompt)).collect();
        let means_people = |prompt: &Prompt| {
            let mut parts = prompt.text.split(|c: char| !c.is_alphanumeric());
            parts.any(|part| MEAN_PEOPLE.iter().any(|word| part.eq_ignore_ascii_case(word)))
        };
        // Without a text tower, what is not in the vocabulary file cannot be looked for.
        if cfg!(feature = "text") && prompts.iter().any(means_people) {
            let is_new = |word: &&str| prompts.iter().all(|prompt| prompt.text != **word);
            let more: Vec<&str> = PEOPLE.into_iter().filter(is_new).collect();
            prompts
                .extend(more.into_iter().map(|word| Prompt { name: word.to_owned(), text: word.to_owned() }));
        }
        let vocabulary = words.select(&prompts).map_or_else(|| embed(&prompts), Ok)?;
        Ok(Self { vocabulary: vocabulary.without_negatives_like(RELATED), threshold })
    }

    /// The regions of `look` that may have to be hidden.
    ///
    /// # Errors
    /// Those of [`Pipeline::scores`].
    pub(super) fn find(&self, pipeline: &Pipeline, look: &mut Look) -> Result<Vec<Hidden>> {
        let started = Instant::now();
        let mut found = Vec::new();
        for (region, scores) in look.regions.iter().zip(pipeline.scores(look, &self.vocabulary)?) {
            // Any of the words: "face" and "person" take each other's probability.
            let score = scores.iter().sum::<f32>().min(1.0);
            let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            let Some((label, _)) = best.filter(|_| score >= WEAK * self.threshold) else { continue };
            let name = self.vocabulary.names().get(label).cloned().unwrap_or_default();
            found.push(Hidden {
                rect: region.rect,
                labels: [(name, score)],
                confident: score >= self.threshold,
                embedding: region.embedding.clone(),
            });
        }
        look.timing.matching += started.elapsed();
        Ok(found)
    }

    /// The boxes that a single picture hides, with their margins.
    ///
    /// # Errors
    /// As [`Blur::find`].
    pub(super) fn boxes(&self, pipeline: &Pipeline, look: &mut Look) -> Result<Vec<Rect>> {
        let found = self.find(pipeline, look)?;
        Ok(found.iter().filter(|hidden| hidden.confident).map(|hidden| with_margin(hidden.rect)).collect())
    }

    /// Those of `detections` and `tracks` that have one of the names, whatever their score, with their margins.
    pub(crate) fn named<'a>(
        &'a self,
        detections: &'a [Detection],
        tracks: &'a [Track],
    ) -> impl Iterator<Item = Rect> + 'a {
        let detections = detections.iter().map(|detection| (&detection.label, detection.rect));
        let all = detections.chain(tracks.iter().map(|track| (&track.label, track.rect)));
        all.filter(|(label, _)| self.vocabulary.names().contains(label)).map(|(_, rect)| with_margin(rect))
    }
}

/// What is hidden in the pictures of one source, from frame to frame.
pub(crate) struct Veil {
    tracker: Tracker,
    /// Tracks and their boxes as of the last look.
    last: Vec<(u64, Rect)>,
}

impl Veil {
    /// Hides nothing so far.
    ///
    /// # Errors
    /// Same as [`Tracker::new`].
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        Ok(Self { tracker: Tracker::new(at_once(settings))?, last: Vec::new() })
    }

    /// Changes how things are tracked.
    ///
    /// # Errors
    /// Same as [`Tracker::set_settings`].
    pub(super) fn set_settings(&mut self, settings: &Settings) -> Result<()> {
        self.tracker.set_settings(at_once(settings))
    }

    /// Boxes keep their places in the picture when its size changes.
    pub(super) fn resize(&mut self, before: (u32, u32), after: (u32, u32)) {
        self.tracker.resize(before, after);
        self.last.clear();
    }

    /// The boxes to hide in a frame taken at `clock`, with their margins. `found` is what the last look found;
    /// `due` says whether it is of this frame or, where nothing has moved, holds for it. Between two looks, what
    /// was found is hidden where it was, where it is expected, and in between.
    pub(super) fn cover(&mut self, clock: Duration, due: bool, found: &[Hidden]) -> Vec<Rect> {
        let mut boxes = if due {
            let observations = found.iter().map(|hidden| Observation {
                rect: hidden.rect,
                labels: &hidden.labels,
                confident: hidden.confident,
                embedding: Some(hidden.embedding.as_slice()).filter(|embedding| !embedding.is_empty()),
            });
            let tracks = self.tracker.update(clock, &observations.collect::<Vec<_>>()).tracks;
            self.last = tracks.iter().map(|track| (track.id, track.rect)).collect();
            self.last.iter().map(|(_, rect)| *rect).collect::<Vec<_>>()
        } else {
            let before = |id: u64| self.last.iter().find(|(other, _)| *other == id).map(|(_, rect)| *rect);
            let expected = self.tracker.predict(clock).into_iter();
            expected.map(|track| before(track.id).map_or(track.rect, |rect| rect.hull(&track.rect))).collect()
        };
        boxes.extend(found.iter().filter(|hidden| hidden.confident).map(|hidden| hidden.rect));
        boxes.into_iter().map(with_margin).collect()
    }
}

/// Tracks from the first sight: one clear frame tells everything.
fn at_once(settings: &Settings) -> Settings {
    Settings { confirm_hits: 1, lost_seconds: settings.lost_seconds.max(HELD), ..settings.clone() }
}

#[cfg(test)]
#[path = "blur_tests.rs"]
mod tests;
