//! Choices that a detector is made with.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::Detector;
use crate::config::{BLUR_THRESHOLD, Prompts};
use crate::error::{Error, Result};
use crate::model::Networks;
use crate::pipeline::{AskedScores, Pipeline, Tiles, Words, bundle, float_warning, hidden_words, threads};
use crate::vocabulary::Embedder;

/// Makes a [`Detector`]; [`Detector::builder`] starts one.
///
/// ```no_run
/// use edgeclip::Detector;
///
/// # fn main() -> edgeclip::Result<()> {
/// let detector = Detector::builder().threads(2).threshold(0.5).prompts(["cat", "red bus"]).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "`build` makes the detector"]
pub struct DetectorBuilder {
    model: Option<PathBuf>,
    threads: Option<u16>,
    threshold: Option<f32>,
    tag_threshold: Option<f32>,
    blur: Option<Prompts>,
    blur_threshold: Option<f32>,
    tiles: Tiles,
    asked: Asked,
}

/// What to look for, before it is checked.
#[derive(Debug, Clone, Default)]
enum Asked {
    #[default]
    Nothing,
    Prompts(Vec<String>),
    Words(Words),
}

impl DetectorBuilder {
    /// Folder of a model bundle, `model.toml` and the files that it names; by default, the model inside the
    /// library.
    pub fn model(self, folder: impl AsRef<Path>) -> Self {
        Self { model: Some(folder.as_ref().to_owned()), ..self }
    }

    /// Threads of the vision network, 1 to 256; by default, one per physical core.
    pub fn threads(self, threads: u16) -> Self {
        Self { threads: Some(threads), ..self }
    }

    /// Lowest score to report, 0 to 1, for all labels; by default, the label's own if a vocabulary file has
    /// one, else the model's.
    pub fn threshold(self, threshold: f32) -> Self {
        Self { threshold: Some(threshold), ..self }
    }

    /// The same for tags alone, in place of [`DetectorBuilder::threshold`].
    pub fn tag_threshold(self, threshold: f32) -> Self {
        Self { tag_threshold: Some(threshold), ..self }
    }

    /// What [`Detector::annotate`] and [`Detector::blur`] make unrecognisable: names or prompts that are reported
    /// as well, or others, which are not. A detector misses some; what must never be seen is better blackened
    /// beforehand.
    ///
    /// ```no_run
    /// use edgeclip::{Detector, Picture};
    ///
    /// # fn main() -> edgeclip::Result<()> {
    /// let detector = Detector::builder().prompts(["dog"]).blur(["person"]).build()?;
    /// let mut picture = Picture::open("park.jpg")?;
    /// let found = detector.detect(&picture)?;
    /// detector.blur(&mut picture, &found);
    /// picture.save("park-blurred.jpg")
    /// # }
    /// ```
    pub fn blur<I>(self, prompts: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self { blur: Some(Prompts::Each(super::owned(prompts))), ..self }
    }

    /// The same, in any notation.
    pub(crate) fn blur_words(self, blur: Option<Prompts>) -> Self {
        Self { blur, ..self }
    }

    /// Lowest score of what is made unrecognisable, 0 to 1; by default 0.1, a third of what is reported: better too
    /// much than too little.
    pub fn blur_threshold(self, threshold: f32) -> Self {
        Self { blur_threshold: Some(threshold), ..self }
    }

    /// Whether pictures are also looked at in overlapping tiles, for small things; by default not. Each tile takes as long
    /// as a picture.
    ///
    /// ```no_run
    /// use edgeclip::{Detector, Grid, Picture, Tiles};
    ///
    /// # fn main() -> edgeclip::Result<()> {
    /// let detector = Detector::builder().prompts(["bird"]).tiles(Tiles::Grid(Grid::new(3, 2)?)).build()?;
    /// let found = detector.detect(&Picture::open("beach.jpg")?)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn tiles(self, tiles: Tiles) -> Self {
        Self { tiles, ..self }
    }

    /// What to look for; same as [`Detector::prompts`], but the text tower is loaded beside the other
    /// networks, which is faster.
    pub fn prompts<I>(self, prompts: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        Self { asked: Asked::Prompts(super::owned(prompts)), ..self }
    }

    /// What to look for, from a vocabulary file; same as [`Detector::vocabulary`].
    pub fn vocabulary(self, file: impl AsRef<Path>) -> Self {
        self.words(Words::File(file.as_ref().to_owned()))
    }

    /// What to look for, checked already.
    pub(crate) fn words(self, words: Words) -> Self {
        Self { asked: Asked::Words(words), ..self }
    }

    /// Loads the networks, and embeds the prompts.
    ///
    /// # Errors
    /// [`Error::Settings`] for a value out of range, a folder that is not there or prompts that cannot be used;
    /// [`Error::Model`] for a broken bundle or a vocabulary file of another model; [`Error::Input`] for a
    /// vocabulary file that cannot be read.
    pub fn build(self) -> Result<Detector> {
        let Self {
            model,
            threads: asked_threads,
            threshold,
            tag_threshold,
            blur,
            blur_threshold,
            tiles,
            asked,
        } = self;
        if asked_threads.is_some_and(|threads| !(1..=256).contains(&threads)) {
            let found = asked_threads.unwrap_or_default().to_string();
            return Err(Error::settings("threads", found, "1 to 256"));
        }
        let thresholds =
            [("threshold", threshold), ("tag_threshold", tag_threshold), ("blur_threshold", blur_threshold)];
        for (name, threshold) in thresholds {
            if let Some(threshold) = threshold.filter(|threshold| !(0.0..=1.0).contains(threshold)) {
                return Err(Error::settings(name, threshold.to_string(), "0 to 1"));
            }
        }
        let hidden = blur.as_ref().map(hidden_words).transpose()?;
        let hidden = hidden.map(|prompts| (prompts, blur_threshold.unwrap_or(BLUR_THRESHOLD)));
        let words = match asked {
            Asked::Nothing => None,
            Asked::Prompts(prompts) => Some(Words::each(&prompts)?),
            Asked::Words(words) => Some(words),
        };
        let bundle = bundle(model.as_deref())?;
        let manifest = bundle.manifest.clone();
        let with_text = words.as_ref().is_some_and(Words::need_text);
        let mut networks = Networks::load(&bundle, with_text, threads(asked_threads))?;
        if let Some(warning) = float_warning(&networks.vision) {
            tracing::warn!("{warning}");
        }
        let mut embedder = Embedder::new(bundle);
        embedder.set_tower(networks.text.take());
        let pipeline = Pipeline::new(networks, manifest);
        let mut detector = Detector {
            pipeline,
            embedder: Mutex::new(embedder),
            vocabulary: None,
            labels: Vec::new(),
            thresholds: AskedScores { all: threshold, tags: tag_threshold },
            hidden,
            blur: None,
            tiles,
        };
        if let Some(words) = words {
            detector.set_words(&words)?;
        }
        Ok(detector)
    }
}
