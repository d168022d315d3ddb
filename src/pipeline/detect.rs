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
        let Manifest { detection, score, .. } = &self.manifest;
        let mut timing = Timing::default();
        let Encoded { output, letterbox } = self.timed_encode(frame, &mut timing)?;
        let mut clock = Clock::start();

        let found = candidates(&output, detection, letterbox.content());
        let rects: Vec<Rect> = found.iter().map(|candidate| candidate.rect).collect();
        let embeddings = self.prompter.embed(&output, letterbox.content(), &rects)?;
        timing.regions = clock.lap();

        let lowest = |label: usize| {
            let own = vocabulary.thresholds().get(label).copied().flatten();
            threshold.or(own).unwrap_or(score.threshold)
        };
        let mut named = Vec::new();
        for (candidate, embedding) in found.iter().zip(&embeddings) {
            let scores = region_scores(embedding, candidate.objectness, vocabulary, &score.region);
            let reported = scores.into_iter().enumerate().filter(|(label, score)| *score >= lowest(*label));
            named.extend(reported.map(|(label, score)| (candidate.rect, score, label)));
        }
        let kept = nms_per_label(&named, detection.label_iou);
        let detections = kept
            .into_iter()
            .filter_map(|i| named.get(i))
            .map(|&(rect, score, label)| Detection { label, score, rect: letterbox.to_source(rect) });
        let detections = detections.collect();

        let scores = tag_scores(&output.image, vocabulary, &score.image);
        let tags = scores.into_iter().enumerate().map(|(label, score)| Tag { label, score });
        let mut tags: Vec<Tag> = tags.filter(|tag| tag.score >= lowest(tag.label)).collect();
        tags.sort_by(|a, b| b.score.total_cmp(&a.score));
        timing.matching = clock.lap();
        Ok(Findings { tags, detections, timing })
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
