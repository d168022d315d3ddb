//! `model.toml`: what a bundle says about itself. The format is described in `docs/architecture.md`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Result, SHORT, obeyed};

/// File name of the manifest inside a bundle.
pub(crate) const FILE: &str = "model.toml";

/// A bundle's manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// Name of the model.
    pub name: String,
    /// Version of the bundle's format.
    pub format: u32,
    /// Dimension D of the joint embedding space.
    pub embedding: usize,
    /// Longest prompt in tokens, special tokens included.
    pub text_max_tokens: usize,
    /// Sentences with one `{}` each, in which a prompt is embedded.
    pub templates: Vec<String>,
    /// The vision network's input.
    pub input: InputSettings,
    /// How boxes are decoded and thinned out.
    pub detection: DetectionSettings,
    /// How a box becomes a region vector.
    pub region: RegionSettings,
    /// How similarities become probabilities.
    pub score: ScoreSettings,
    /// Where examples are compared, and what they weigh beside words; `None` if this model knows words alone.
    #[serde(default)]
    pub examples: Option<ExampleSettings>,
    /// How the detector's own classes count beside words; `None` if the bundle does not have them.
    #[serde(default)]
    pub classes: Option<ClassSettings>,
    /// sha256 of each file of the bundle, lower-case hexadecimal, by file name.
    pub files: BTreeMap<String, String>,
    /// Measured scores of this model, for people: a table is all that is asked of it.
    #[serde(default, rename = "metrics")]
    _metrics: toml::Table,
}

/// The vision network's input.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputSettings {
    /// Side S of the square input in pixels.
    pub size: u32,
}

/// How boxes are decoded and thinned out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetectionSettings {
    /// Input pixels a cell, one a level.
    pub strides: Vec<u32>,
    /// Distance bins a side of the box, B.
    pub bins: usize,
    /// Most regions embedded a frame.
    pub max_candidates: usize,
    /// Lowest objectness probability of a candidate, 0 to 1.
    pub min_objectness: f32,
    /// Highest IoU of two candidates, 0 to 1.
    pub candidate_iou: f32,
    /// Highest IoU of two detections with one label, 0 to 1.
    pub label_iou: f32,
}

/// How a box becomes a region vector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegionSettings {
    /// The parts of the region vector, in order.
    pub pool: Vec<Pool>,
}

/// One part of the region vector: the mean of bilinear samples of one feature map around the box.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pool {
    /// Feature maps of equal channel count, one chosen by the box's size.
    pub maps: Vec<String>,
    /// Map `i` serves boxes with `sqrt(w · h) < limits[i]` input pixels, the last map all others.
    #[serde(default)]
    pub limits: Vec<f32>,
    /// The box grows by this factor about its centre.
    pub expand: f32,
    /// Whether it also becomes square, with its longer side.
    pub square: bool,
    /// Samples along each axis.
    pub samples: usize,
}

/// How similarities become probabilities.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScoreSettings {
    /// Lowest probability printed unless the user says otherwise, 0 to 1.
    pub threshold: f32,
    /// The same of tags, if it differs.
    #[serde(default)]
    pub tag_threshold: Option<f32>,
    /// A negative whose cosine with any prompt exceeds this is dropped.
    pub max_similarity: f32,
    /// Calibration of region scores.
    pub region: RegionScore,
    /// Calibration of image tags.
    pub image: ImageScore,
}

/// Calibration of region scores.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegionScore {
    /// Factor from cosine to logit.
    pub scale: f32,
    /// Constant, margin and objectness-logit weights.
    pub weights: [f32; 3],
}

/// Calibration of image tags.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImageScore {
    /// Factor from cosine to logit.
    pub scale: f32,
    /// Constant and margin weights.
    pub weights: [f32; 2],
}

/// How the detector's own classes count beside words, for names that mean nearly the same as one of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassSettings {
    /// The map that the detector's class head reads at a candidate's cell, one for each stride.
    pub maps: Vec<String>,
    /// Cosine of a name and its nearest class up to which the class does not count, and from which on it counts in full.
    pub ramp: [f32; 2],
    /// Calibration where it counts: constant, margin, objectness-logit and class-logit weights.
    pub weights: [f32; 4],
}

/// Where examples are compared, and what they weigh beside words.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleSettings {
    /// What is compared of a box.
    pub region: ExamplePool,
    /// The same of the whole picture.
    pub picture: ExamplePool,
    /// Factor from cosine to logit.
    pub scale: f32,
    /// Cosine that an unseen example may have as well: a counter-example counts only above it.
    pub floor: f32,
    /// Factor of what a counter-example exceeds that by.
    pub counter_scale: f32,
    /// How sharply states are told apart whose examples differ little.
    pub sharpness: f32,
    /// Of the regression that makes a prototype of examples and the bank; `None` where prototypes are unit means.
    #[serde(default)]
    pub ridge: Option<f64>,
}

/// What is compared of a box or picture: a pool of feature maps, and its embedding.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExamplePool {
    /// As in [`Pool`].
    pub maps: Vec<String>,
    /// As in [`Pool`].
    #[serde(default)]
    pub limits: Vec<f32>,
    /// As in [`Pool`].
    pub expand: f32,
    /// As in [`Pool`].
    pub square: bool,
    /// As in [`Pool`].
    pub samples: usize,
    /// What the embedding weighs beside the features.
    pub embedding: f32,
    /// For a name with words and examples, at one example and at endlessly many: what the evidence of words
    /// and that of examples weigh, a constant, and what the agreement of both weighs.
    pub beside_words: [[f64; 4]; 2],
    /// The same for a name with examples alone: what their evidence weighs, and a constant.
    pub alone: [[f64; 2]; 2],
    /// Where words that do not fit their own examples are not to count: what the agreement of both, a constant and one
    /// over the number of examples weigh in the logit of their fitting; `None` to believe them always.
    #[serde(default)]
    pub trust: Option<[f64; 3]>,
}

impl ExamplePool {
    /// The pool alone.
    pub(crate) fn pool(&self) -> Pool {
        let Self { maps, limits, expand, square, samples, .. } = self.clone();
        Pool { maps, limits, expand, square, samples }
    }
}

impl ExampleSettings {
    /// The pools of boxes and of pictures.
    pub(crate) fn pools(&self) -> [Pool; 2] {
        [self.region.pool(), self.picture.pool()]
    }
}

impl Manifest {
    /// Reads a manifest and checks every range. `file` is the name that errors give.
    ///
    /// # Errors
    /// [`Error::Model`] naming the line or the key.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            Error::model(
                file,
                format!("line {line}: {}", error.message()),
                "the keys of docs/architecture.md",
            )
        })?;
        manifest
            .check()
            .map_err(|(key, found, expected)| Error::model(file, format!("{key} = {found}"), expected))?;
        Ok(manifest)
    }

    fn check(&self) -> std::result::Result<(), (&'static str, String, &'static str)> {
        let rule = |holds: bool, key, found: &dyn std::fmt::Debug, expected| {
            if holds { Ok(()) } else { Err((key, format!("{found:?}"), expected)) }
        };
        let unit = |v: f32| (0.0..=1.0).contains(&v);
        let factor = |v: f32| v.is_finite() && v > 0.0;
        let finite = |weights: &[f32]| weights.iter().all(|w| w.is_finite());
        let (d, s) = (&self.detection, &self.score);

        let name_is_plain =
            !self.name.trim().is_empty() && self.name.chars().count() <= SHORT && !self.name.contains(obeyed);
        rule(name_is_plain, "name", &self.name, "1 to 80 printable characters")?;
        let is_hash = |hash: &String| hash.len() == 64 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        let bad = self.files.values().find(|hash| !is_hash(hash));
        rule(bad.is_none(), "files", &bad, "a sha256 of 64 hexadecimal digits each")?;
        rule(self.format == 1, "format", &self.format, "1, the format of this program")?;
        rule((1..=4096).contains(&self.embedding), "embedding", &self.embedding, "1 to 4096")?;
        rule(
            (3..=512).contains(&self.text_max_tokens),
            "text_max_tokens",
            &self.text_max_tokens,
            "3 to 512",
        )?;
        let one_hole = |t: &String| t.matches("{}").count() == 1;
        let holds = !self.templates.is_empty() && self.templates.iter().all(one_hole);
        rule(holds, "templates", &self.templates, "sentences with one {} each")?;

        rule((1..=4096).contains(&self.input.size), "input.size", &self.input.size, "1 to 4096")?;
        let fits = |&stride: &u32| stride > 0 && self.input.size.is_multiple_of(stride);
        let holds = !d.strides.is_empty() && d.strides.iter().all(fits);
        rule(holds, "detection.strides", &d.strides, "divisors of input.size")?;
        rule((2..=256).contains(&d.bins), "detection.bins", &d.bins, "2 to 256")?;
        let holds = (1..=10_000).contains(&d.max_candidates);
        rule(holds, "detection.max_candidates", &d.max_candidates, "1 to 10000")?;
        rule(unit(d.min_objectness), "detection.min_objectness", &d.min_objectness, "0 to 1")?;
        rule(unit(d.candidate_iou), "detection.candidate_iou", &d.candidate_iou, "0 to 1")?;
        rule(unit(d.label_iou), "detection.label_iou", &d.label_iou, "0 to 1")?;

        let examples: Vec<Pool> = self.examples.iter().flat_map(ExampleSettings::pools).collect();
        for pool in self.region.pool.iter().chain(&examples) {
            rule(!pool.maps.is_empty(), "region.pool.maps", &pool.maps, "at least one map")?;
            let holds = pool.limits.len() + 1 == pool.maps.len() && pool.limits.is_sorted();
            rule(holds, "region.pool.limits", &pool.limits, "one fewer than maps, ascending")?;
            rule(factor(pool.expand), "region.pool.expand", &pool.expand, "a positive number")?;
            rule((1..=64).contains(&pool.samples), "region.pool.samples", &pool.samples, "1 to 64")?;
        }

        if let Some(e) = &self.examples {
            for pool in [&e.region, &e.picture] {
                rule(pool.embedding.is_finite(), "examples.embedding", &pool.embedding, "a finite number")?;
                let weights = pool.beside_words.iter().flatten().chain(pool.alone.iter().flatten());
                let weights = weights.chain(pool.trust.iter().flatten());
                let holds = weights.clone().all(|weight| weight.is_finite());
                let found: Vec<&f64> = weights.collect();
                rule(holds, "examples.beside_words, alone or trust", &found, "finite numbers")?;
            }
            rule(factor(e.scale), "examples.scale", &e.scale, "a positive number")?;
            rule((-1.0..=1.0).contains(&e.floor), "examples.floor", &e.floor, "-1 to 1")?;
            rule(factor(e.counter_scale), "examples.counter_scale", &e.counter_scale, "a positive number")?;
            rule(factor(e.sharpness), "examples.sharpness", &e.sharpness, "a positive number")?;
            let holds = e.ridge.is_none_or(|ridge| (1e-6..=1e6).contains(&ridge));
            rule(holds, "examples.ridge", &e.ridge.unwrap_or_default(), "1e-6 to 1e6")?;
        }
        if let Some(c) = &self.classes {
            rule(c.maps.len() == d.strides.len(), "classes.maps", &c.maps, "one map for each stride")?;
            let [from, to] = c.ramp;
            rule(
                from < to && to <= 1.0 && from >= -1.0,
                "classes.ramp",
                &c.ramp,
                "two numbers from -1 to 1, ascending",
            )?;
            rule(finite(&c.weights), "classes.weights", &c.weights, "finite numbers")?;
        }
        rule(unit(s.threshold), "score.threshold", &s.threshold, "0 to 1")?;
        let holds = s.tag_threshold.is_none_or(unit);
        rule(holds, "score.tag_threshold", &s.tag_threshold.unwrap_or_default(), "0 to 1")?;
        let holds = (-1.0..=1.0).contains(&s.max_similarity);
        rule(holds, "score.max_similarity", &s.max_similarity, "-1 to 1")?;
        rule(factor(s.region.scale), "score.region.scale", &s.region.scale, "a positive number")?;
        rule(factor(s.image.scale), "score.image.scale", &s.image.scale, "a positive number")?;
        rule(finite(&s.region.weights), "score.region.weights", &s.region.weights, "finite numbers")?;
        rule(finite(&s.image.weights), "score.image.weights", &s.image.weights, "finite numbers")
    }
}
