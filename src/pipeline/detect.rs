//! From a picture to named boxes and tags: preprocess, vision, candidates, region embeddings, matching.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::blur::Blur;
use super::thresholds::{AskedScores, Thresholds};
use super::tiles::Tiles;
use crate::detect::{Candidate, candidates, discount_parts, nms_across_labels, nms_per_label};
use crate::error::Result;
use crate::frame::Frame;
use crate::geometry::{Letterbox, Rect};
use crate::model::{
    Cell, Classes, FeatureSpace, FeatureVector, Manifest, Networks, Pooled, Prompter, Vision, VisionOutput,
};
use crate::preprocess::letterbox;
use crate::report::{Detection, Findings, Tag, Timing};
use crate::vocabulary::{Called, Evidence, Links, Vocabulary, region_scores, tag_scores};

/// Part of a label's threshold from which a region may continue a track, though it begins none.
pub(super) const WEAK: f32 = 0.4;

/// The networks that look at pictures, and their settings.
pub(crate) struct Pipeline {
    vision: Vision,
    prompter: Prompter,
    features: Option<FeatureSpace>,
    classes: Option<Classes>,
    manifest: Manifest,
}

/// A picture as the vision network sees it.
pub(crate) struct Encoded {
    /// The network's output.
    pub output: VisionOutput,
    /// How the picture lies in the network's input.
    pub letterbox: Letterbox,
}

/// Everything that one look at a picture yields, whatever its score.
pub(crate) struct Look {
    /// Boxes that hold something, most certain first.
    pub regions: Vec<Region>,
    /// Probability of each label for the whole picture.
    pub tags: Vec<f32>,
    /// The vision network's output, to embed further boxes.
    pub encoded: Encoded,
    /// Time of each stage; decoding is not among them.
    pub timing: Timing,
}

/// A box that holds something.
pub(crate) struct Region {
    /// Where, in pixels of the picture.
    pub rect: Rect,
    /// Where, in pixels of the network's input.
    pub input: Rect,
    /// Logit of its being a thing at all.
    pub objectness: f32,
    /// Where the network proposes it.
    pub cell: Cell,
    /// Unit norm.
    pub embedding: Vec<f32>,
    /// Probability of each label.
    pub scores: Vec<f32>,
}

/// One name of a region; a region may have several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NamedRegion {
    /// Index in [`Look::regions`].
    pub region: usize,
    /// Where, in pixels of the picture.
    pub rect: Rect,
    /// Index of the name in the vocabulary.
    pub label: usize,
    /// Probability that the name is right, 0 to 1.
    pub score: f32,
}

impl Pipeline {
    /// Joins a bundle's networks and its manifest. The text tower, if any, is dropped.
    pub(crate) fn new(networks: Networks, manifest: Manifest) -> Self {
        let Networks { vision, prompter, features, classes, .. } = networks;
        Self { vision, prompter, features, classes, manifest }
    }

    /// Runs the vision network.
    ///
    /// # Errors
    /// [`crate::error::Error::Input`] if the frame contradicts itself, otherwise those of [`Vision::run`].
    pub(crate) fn encode(&self, frame: &Frame<'_>) -> Result<Encoded> {
        self.timed_encode(frame, &mut Timing::default())
    }

    /// Unit-norm embeddings of `boxes`, given in pixels of the picture.
    ///
    /// # Errors
    /// Those of [`Prompter::embed`]: a box must have an area inside the picture.
    pub(crate) fn embed_boxes(&self, encoded: &Encoded, boxes: &[Rect]) -> Result<Vec<Vec<f32>>> {
        let Encoded { output, letterbox } = encoded;
        let inside: Vec<Rect> = boxes.iter().map(|rect| letterbox.to_input(*rect)).collect();
        self.prompter.embed(output, letterbox.content(), &inside)
    }

    /// Where examples are compared; `None` if the model knows words alone.
    pub(crate) fn features(&self) -> Option<&FeatureSpace> {
        self.features.as_ref()
    }

    /// The feature vector of each of `boxes`, given in pixels of the picture; `None` where nothing is, and
    /// where the model knows words alone.
    ///
    /// # Errors
    /// As [`Pipeline::embed_boxes`].
    pub(crate) fn box_features(
        &self,
        encoded: &Encoded,
        boxes: &[Rect],
    ) -> Result<Vec<Option<FeatureVector>>> {
        let Some(_) = &self.features else { return Ok(vec![None; boxes.len()]) };
        Ok(self.embed_and_compare(encoded, boxes)?.into_iter().map(|(_, vector)| vector).collect())
    }

    /// Both of each of `boxes`: its embedding as by [`Pipeline::embed_boxes`], and its feature vector.
    ///
    /// # Errors
    /// As [`Pipeline::embed_boxes`].
    pub(crate) fn embed_and_compare(
        &self,
        encoded: &Encoded,
        boxes: &[Rect],
    ) -> Result<Vec<(Vec<f32>, Option<FeatureVector>)>> {
        let Encoded { output, letterbox } = encoded;
        let content = letterbox.content();
        let rects: Vec<Rect> = boxes.iter().map(|rect| letterbox.to_input(*rect)).collect();
        let pool = self.features.as_ref().map(FeatureSpace::pool);
        let (embeddings, pooled) = self.prompter.embed_and_pool(output, content, &rects, pool)?;
        let vectors = match &self.features {
            Some(space) => space.of_boxes(output, &content, &paired(&rects, &embeddings), pooled.as_ref())?,
            None => vec![None; boxes.len()],
        };
        Ok(embeddings.into_iter().zip(vectors).collect())
    }

    /// The feature vector of the whole picture.
    ///
    /// # Errors
    /// The model contradicts itself.
    pub(crate) fn picture_features(&self, encoded: &Encoded) -> Result<Option<FeatureVector>> {
        let Some(space) = &self.features else { return Ok(None) };
        space.of_picture(&encoded.output, &encoded.letterbox.content())
    }

    /// Boxes that hold something, most certain first, in pixels of the picture, with the probability that they
    /// do.
    pub(crate) fn objects(&self, encoded: &Encoded) -> Vec<(Rect, f32)> {
        let Encoded { output, letterbox } = encoded;
        let found = candidates(output, &self.manifest.detection, letterbox.content());
        let probability = |logit: f32| 1.0 / (1.0 + (-logit).exp());
        found.into_iter().map(|c| (letterbox.to_source(c.rect), probability(c.objectness))).collect()
    }

    /// Finds what `vocabulary` names: everything that scores at least what is `asked` or, if that is nothing, the
    /// label's own threshold, else the model's. Also finds what `blur` hides. Looks at `tiles`, too.
    ///
    /// # Errors
    /// Same as [`Pipeline::encode`] and [`Pipeline::embed_boxes`].
    pub(crate) fn detect(
        &self,
        frame: &Frame<'_>,
        vocabulary: &Vocabulary,
        asked: AskedScores,
        blur: Option<&Blur>,
        tiles: Tiles,
    ) -> Result<Findings> {
        let mut blurred = Vec::new();
        let (size, input) = ((frame.width, frame.height), self.manifest.input.size);
        let mut grid = None;
        let wanted = |took: Duration| {
            grid = tiles.grid(size, input, took);
            grid.map(|grid| grid.tiles(size)).unwrap_or_default()
        };
        let look = self.look_closely(frame, vocabulary, wanted, |look, corner| {
            let boxes = blur.map_or_else(|| Ok(Vec::new()), |blur| blur.boxes(self, look))?;
            blurred.extend(boxes.into_iter().map(|rect| rect.shift(corner)));
            Ok(())
        })?;
        let mut clock = Clock::start();
        let thresholds = Thresholds::new(vocabulary, &self.manifest.score, asked, |_| None);
        let named = self.named(&look, vocabulary, |label| thresholds.of_box(label));
        let mut findings = look.findings(&named, vocabulary.names(), &thresholds);
        findings.timing.matching += clock.lap();
        blurred.extend(blur.iter().flat_map(|blur| blur.named(&findings.detections, &[])));
        findings.blurred = blurred;
        findings.tiles = grid;
        Ok(findings)
    }

    /// Scores every region of a picture, and the whole picture, for every label of `vocabulary`.
    ///
    /// # Errors
    /// Same as [`Pipeline::encode`] and [`Pipeline::embed_boxes`].
    pub(crate) fn look(&self, frame: &Frame<'_>, vocabulary: &Vocabulary) -> Result<Look> {
        let Manifest { detection, score, .. } = &self.manifest;
        let mut timing = Timing::default();
        let encoded = self.timed_encode(frame, &mut timing)?;
        let Encoded { output, letterbox } = &encoded;
        let mut clock = Clock::start();
        let found = candidates(output, detection, letterbox.content());
        let rects: Vec<Rect> = found.iter().map(|candidate| candidate.rect).collect();
        let pool = self.compares(vocabulary).map(FeatureSpace::pool);
        let (embeddings, pooled) = self.prompter.embed_and_pool(output, letterbox.content(), &rects, pool)?;
        let seen = self.seen(&encoded, vocabulary, &rects, &embeddings, pooled.as_ref())?;
        let cells: Vec<Cell> = found.iter().map(|candidate| candidate.cell).collect();
        let named = self.called(output, vocabulary, &cells)?;
        timing.regions = clock.lap();
        let scores = found.iter().zip(&embeddings).enumerate().map(|(index, (candidate, embedding))| {
            let said = seen.regions.get(index).and_then(Option::as_ref);
            let called = named.as_ref().and_then(|named| named.of(index));
            region_scores(embedding, candidate.objectness, vocabulary, &score.region, said, called)
        });
        let mut scores: Vec<Vec<f32>> = scores.collect();
        let strongest: Vec<Vec<f32>> =
            scores.iter().map(|scores| vocabulary.places().strongest(scores)).collect();
        discount_parts(&rects, &mut scores, &strongest);
        let regions =
            found.into_iter().zip(embeddings).zip(scores).map(|((candidate, embedding), scores)| {
                let (rect, input) = (letterbox.to_source(candidate.rect), candidate.rect);
                let Candidate { objectness, cell, .. } = candidate;
                Region { rect, input, objectness, cell, embedding, scores }
            });
        let regions = regions.collect();
        let tags = tag_scores(&output.image, vocabulary, &score.image, seen.picture.as_ref());
        timing.matching = clock.lap();
        Ok(Look { regions, tags, encoded, timing })
    }

    /// Scores the whole picture alone: [`Look::tags`], with what the network saw.
    ///
    /// # Errors
    /// Same as [`Pipeline::encode`].
    pub(crate) fn tags(&self, frame: &Frame<'_>, vocabulary: &Vocabulary) -> Result<(Encoded, Vec<f32>)> {
        let encoded = self.encode(frame)?;
        let seen = self.picture_seen(&encoded, vocabulary)?;
        let tags = tag_scores(&encoded.output.image, vocabulary, &self.manifest.score.image, seen.as_ref());
        Ok((encoded, tags))
    }

    /// Probability that each region of `look` shows what each label of another vocabulary says.
    ///
    /// # Errors
    /// The model contradicts itself.
    pub(super) fn scores(&self, look: &Look, vocabulary: &Vocabulary) -> Result<Vec<Vec<f32>>> {
        let (rects, embeddings): (Vec<Rect>, Vec<Vec<f32>>) =
            look.regions.iter().map(|region| (region.input, region.embedding.clone())).unzip();
        let seen = self.seen(&look.encoded, vocabulary, &rects, &embeddings, None)?;
        let cells: Vec<Cell> = look.regions.iter().map(|region| region.cell).collect();
        let named = self.called(&look.encoded.output, vocabulary, &cells)?;
        let regions = look.regions.iter().enumerate().map(|(index, region)| {
            let said = seen.regions.get(index).and_then(Option::as_ref);
            let called = named.as_ref().and_then(|named| named.of(index));
            let calibration = &self.manifest.score.region;
            region_scores(&region.embedding, region.objectness, vocabulary, calibration, said, called)
        });
        Ok(regions.collect())
    }

    /// The names of regions that score at least `lowest` of their label, best first, without those that
    /// overlap a better one of the same label or of one that means nearly the same.
    pub(crate) fn named(
        &self,
        look: &Look,
        vocabulary: &Vocabulary,
        lowest: impl Fn(usize) -> f32,
    ) -> Vec<NamedRegion> {
        let mut boxes = Vec::new();
        let mut named = Vec::new();
        let entries = vocabulary.entries();
        for (index, region) in look.regions.iter().enumerate() {
            for (label, (score, entry)) in region.scores.iter().copied().zip(entries).enumerate() {
                if score >= lowest(label) && entry.has_boxes() {
                    boxes.push((region.input, score, label));
                    named.push(NamedRegion { region: index, rect: region.rect, label, score });
                }
            }
        }
        let max_iou = self.manifest.detection.label_iou;
        let mut kept = nms_per_label(&boxes, max_iou);
        let places = vocabulary.places();
        if places.have_rivals() {
            let rivals = |a: usize, b: usize| places.rivals(a).any(|rival| rival == b);
            kept = nms_across_labels(&boxes, kept, max_iou, rivals);
        }
        kept.into_iter().filter_map(|i| named.get(i).copied()).collect()
    }

    /// The settings of the model.
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What examples say of `rects`, in pixels of the network's input, and of the whole picture behind them.
    fn seen(
        &self,
        encoded: &Encoded,
        vocabulary: &Vocabulary,
        rects: &[Rect],
        embeddings: &[Vec<f32>],
        pooled: Option<&Pooled>,
    ) -> Result<Seen> {
        let Some(space) = self.compares(vocabulary) else { return Ok(Seen::default()) };
        let Encoded { output, letterbox } = encoded;
        let vectors = space.of_boxes(output, &letterbox.content(), &paired(rects, embeddings), pooled)?;
        let there: Vec<&FeatureVector> = vectors.iter().flatten().collect();
        let kind = &space.settings().region;
        let mut evidence = vocabulary.evidence(space, kind, &there).unwrap_or_default().into_iter();
        let regions = vectors.iter().map(|vector| vector.as_ref().and_then(|_| evidence.next()));
        Ok(Seen { regions: regions.collect(), picture: self.picture_seen(encoded, vocabulary)? })
    }

    /// What examples say of the whole picture.
    fn picture_seen(&self, encoded: &Encoded, vocabulary: &Vocabulary) -> Result<Option<Evidence>> {
        let Some(space) = self.compares(vocabulary) else { return Ok(None) };
        let Some(vector) = self.picture_features(encoded)? else { return Ok(None) };
        let evidence = vocabulary.evidence(space, &space.settings().picture, &[&vector]);
        Ok(evidence.and_then(|evidence| evidence.into_iter().next()))
    }

    /// What the detector calls each cell; `None` if that says nothing of any label.
    fn called<'a>(
        &'a self,
        output: &VisionOutput,
        vocabulary: &'a Vocabulary,
        cells: &[Cell],
    ) -> Result<Option<Named<'a>>> {
        let Some(classes) = &self.classes else { return Ok(None) };
        let links = vocabulary.links(classes);
        if links.is_empty() {
            return Ok(None);
        }
        let weights = &classes.settings().weights;
        Ok(Some(Named { links, weights, logits: classes.logits(output, cells)? }))
    }

    /// Where the examples of a vocabulary are compared; `None` if it has none.
    fn compares(&self, vocabulary: &Vocabulary) -> Option<&FeatureSpace> {
        self.features.as_ref().filter(|_| vocabulary.examples().is_some())
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

/// Each box with its embedding.
fn paired<'a>(rects: &[Rect], embeddings: &'a [Vec<f32>]) -> Vec<(Rect, &'a [f32])> {
    rects.iter().copied().zip(embeddings.iter().map(Vec::as_slice)).collect()
}

/// What the detector calls each of some cells.
struct Named<'a> {
    links: &'a Links,
    weights: &'a [f32; 4],
    logits: Vec<Vec<f32>>,
}

impl Named<'_> {
    fn of(&self, index: usize) -> Option<Called<'_>> {
        let Self { links, weights, logits } = self;
        logits.get(index).map(|logits| Called { links, logits, weights })
    }
}

/// What examples say; nothing where there are none.
#[derive(Default)]
struct Seen {
    /// Of each region, `None` where nothing is.
    regions: Vec<Option<Evidence>>,
    /// Of the whole picture.
    picture: Option<Evidence>,
}

impl Look {
    /// Those of the `named` regions and of the tags that reach their thresholds, best first.
    pub(crate) fn findings(
        &self,
        named: &[NamedRegion],
        names: &[Arc<str>],
        thresholds: &Thresholds,
    ) -> Findings {
        let name = |label: usize| names.get(label).cloned().unwrap_or_default();
        let reported = named.iter().filter(|found| found.score >= thresholds.of_box(found.label));
        let detections = reported.map(|found| Detection {
            label: name(found.label),
            score: found.score,
            rect: found.rect,
        });
        let tags = self.tags.iter().copied().enumerate();
        let tags = tags.filter(|(label, score)| *score >= thresholds.of_tag(*label));
        let mut tags: Vec<Tag> = tags.map(|(label, score)| Tag { label: name(label), score }).collect();
        tags.sort_by(|a, b| b.score.total_cmp(&a.score));
        Findings {
            tags,
            detections: detections.collect(),
            blurred: Vec::new(),
            tiles: None,
            timing: self.timing,
        }
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
