//! From a picture to named boxes and tags: preprocess, vision, candidates, region embeddings, matching.

use std::time::{Duration, Instant};

use crate::detect::{candidates, nms_per_label};
use crate::error::Result;
use crate::frame::Frame;
use crate::geometry::{Letterbox, Rect};
use crate::model::{Manifest, Networks, Prompter, Vision, VisionOutput};
use crate::preprocess::letterbox;
use crate::sinks::Timing;
use crate::vocabulary::{Detection, Tag, Vocabulary, region_scores, tag_scores};

/// The networks that look at pictures, and their settings.
pub struct Pipeline {
    vision: Vision,
    prompter: Prompter,
    manifest: Manifest,
}

/// A picture as the vision network sees it.
pub struct Encoded {
    /// What the network yields.
    pub output: VisionOutput,
    /// How the picture lies in the network's input.
    pub letterbox: Letterbox,
}

/// What a picture shows. Tags and detections are sorted by falling score.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// Names for the whole picture.
    pub tags: Vec<Tag>,
    /// Named boxes in pixels of the picture.
    pub detections: Vec<Detection>,
    /// Time of each stage; decoding is not among them.
    pub timing: Timing,
}

/// Everything that one look at a picture yields, whatever its score.
pub struct Look {
    /// Boxes that hold something, surest first.
    pub regions: Vec<Region>,
    /// Probability of each label for the whole picture.
    pub tags: Vec<f32>,
    /// The vision network's output, to embed further boxes.
    pub encoded: Encoded,
    /// Time of each stage; decoding is not among them.
    pub timing: Timing,
}

/// A box that holds something.
pub struct Region {
    /// Where, in pixels of the picture.
    pub rect: Rect,
    /// Where, in pixels of the network's input.
    input: Rect,
    /// Unit norm.
    pub embedding: Vec<f32>,
    /// Probability of each label.
    pub scores: Vec<f32>,
}

/// A detection and the region that it names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NamedRegion {
    /// Index of the [`Region`]; several names may share one.
    pub region: usize,
    /// The name.
    pub detection: Detection,
}

impl Pipeline {
    /// Joins a bundle's networks and its manifest. The text tower, if any, is given up.
    pub fn new(networks: Networks, manifest: Manifest) -> Self {
        Self { vision: networks.vision, prompter: networks.prompter, manifest }
    }

    /// Runs the vision network.
    ///
    /// # Errors
    /// [`crate::error::Error::Input`] if the frame contradicts itself, otherwise those of [`Vision::run`].
    pub fn encode(&self, frame: &Frame<'_>) -> Result<Encoded> {
        self.timed_encode(frame, &mut Timing::default())
    }

    /// Unit-norm embeddings of `boxes`, given in pixels of the picture.
    ///
    /// # Errors
    /// Those of [`Prompter::embed`]: a box must have an area inside the picture.
    pub fn embed_boxes(&self, encoded: &Encoded, boxes: &[Rect]) -> Result<Vec<Vec<f32>>> {
        let Encoded { output, letterbox } = encoded;
        let inside: Vec<Rect> = boxes.iter().map(|rect| letterbox.to_input(*rect)).collect();
        self.prompter.embed(output, letterbox.content(), &inside)
    }

    /// Finds what `vocabulary` names. Reported is what scores at least `threshold`, or where that is `None`, the label's
    /// own threshold, or where it has none, the model's.
    ///
    /// # Errors
    /// As [`Pipeline::encode`] and [`Pipeline::embed_boxes`].
    pub fn detect(
        &self,
        frame: &Frame<'_>,
        vocabulary: &Vocabulary,
        threshold: Option<f32>,
    ) -> Result<Findings> {
        let look = self.look(frame, vocabulary)?;
        let mut clock = Clock::start();
        let lowest = |label: usize| threshold.unwrap_or_else(|| self.threshold(vocabulary, label));
        let detections = self.named(&look, lowest).into_iter().map(|found| found.detection).collect();
        let tags = look.tags.iter().enumerate().map(|(label, score)| Tag { label, score: *score });
        let mut tags: Vec<Tag> = tags.filter(|tag| tag.score >= lowest(tag.label)).collect();
        tags.sort_by(|a, b| b.score.total_cmp(&a.score));
        let timing = Timing { matching: look.timing.matching + clock.lap(), ..look.timing };
        Ok(Findings { tags, detections, timing })
    }

    /// Scores every region of a picture, and the whole picture, for every label of `vocabulary`.
    ///
    /// # Errors
    /// As [`Pipeline::encode`] and [`Pipeline::embed_boxes`].
    pub fn look(&self, frame: &Frame<'_>, vocabulary: &Vocabulary) -> Result<Look> {
        let Manifest { detection, score, .. } = &self.manifest;
        let mut timing = Timing::default();
        let encoded = self.timed_encode(frame, &mut timing)?;
        let Encoded { output, letterbox } = &encoded;
        let mut clock = Clock::start();
        let found = candidates(output, detection, letterbox.content());
        let rects: Vec<Rect> = found.iter().map(|candidate| candidate.rect).collect();
        let embeddings = self.prompter.embed(output, letterbox.content(), &rects)?;
        timing.regions = clock.lap();
        let regions = found.into_iter().zip(embeddings).map(|(candidate, embedding)| {
            let scores = region_scores(&embedding, candidate.objectness, vocabulary, &score.region);
            Region { rect: letterbox.to_source(candidate.rect), input: candidate.rect, embedding, scores }
        });
        let regions = regions.collect();
        let tags = tag_scores(&output.image, vocabulary, &score.image);
        timing.matching = clock.lap();
        Ok(Look { regions, tags, encoded, timing })
    }

    /// The names of regions that score at least `lowest` of their label, best first, without those that overlap a better
    /// one of the same label.
    pub fn named(&self, look: &Look, lowest: impl Fn(usize) -> f32) -> Vec<NamedRegion> {
        let mut named = Vec::new();
        let mut regions = Vec::new();
        for (index, region) in look.regions.iter().enumerate() {
            for (label, score) in
                region.scores.iter().enumerate().filter(|(label, score)| **score >= lowest(*label))
            {
                named.push((region.input, *score, label));
                regions.push((index, region.rect));
            }
        }
        let kept = nms_per_label(&named, self.manifest.detection.label_iou);
        let found = kept.into_iter().filter_map(|i| named.get(i).zip(regions.get(i)));
        let found = found.map(|(&(_, score, label), &(region, rect))| NamedRegion {
            region,
            detection: Detection { label, score, rect },
        });
        found.collect()
    }

    /// Lowest score worth a report: the label's own, else the model's.
    pub fn threshold(&self, vocabulary: &Vocabulary, label: usize) -> f32 {
        let own = vocabulary.thresholds().get(label).copied().flatten();
        own.unwrap_or(self.manifest.score.threshold)
    }

    /// The settings of the model.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn timed_encode(&self, frame: &Frame<'_>, timing: &mut Timing) -> Result<Encoded> {
        let mut clock = Clock::start();
        let (input, letterbox) = letterbox(frame, self.manifest.input.size)?;
        timing.preprocess = clock.lap();
        let output = self.vision.run(&input)?;
        timing.vision = clock.lap();
        Ok(Encoded { output, letterbox })
    }
}

/// A stopwatch.
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the last lap.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.0, now)
    }
}
