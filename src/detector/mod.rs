//! The front door for pictures: prompts in, named boxes and embeddings out.

mod as_frame;
mod builder;

pub use as_frame::AsFrame;
pub use builder::DetectorBuilder;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::pipeline::{AskedScores, Blur, Pipeline, Tiles, Words, clipped};
use crate::privacy::pixelate;
use crate::report::{Findings, PictureReport};
use crate::sinks;
use crate::source::Picture;
use crate::vocabulary::{Embedder, Prompt, Vocabulary};
use edgeclip_kernels::normalise;

/// Finds in pictures what prompts name, and embeds pictures and texts into one space.
///
/// Making one loads the networks, some tens of milliseconds; one may be shared by threads (`Send`, `Sync`). A
/// single picture already runs on all threads of [`DetectorBuilder::threads`].
///
/// ```
/// use edgeclip::{Detector, Picture};
///
/// # fn main() -> edgeclip::Result<()> {
/// let detector = Detector::new()?.prompts(["cat", "bus = a red bus"])?;
/// let found = detector.detect(&Picture::open("tests/data/cat.jpg")?)?;
/// let best = &found.detections[0];
/// assert_eq!(&*best.label, "cat");
/// assert!(best.score > 0.5 && best.rect.width() > 300.0);
/// assert_eq!(&*found.tags[0].label, "cat");
/// # Ok(())
/// # }
/// ```
pub struct Detector {
    pipeline: Pipeline,
    /// Its text tower is loaded with the first words.
    embedder: Mutex<Embedder>,
    vocabulary: Option<Vocabulary>,
    /// The names of it that are reported.
    labels: Vec<Arc<str>>,
    thresholds: AskedScores,
    /// What is blurred, and from which score.
    hidden: Option<(Vec<Prompt>, f32)>,
    /// The same for the present vocabulary.
    blur: Option<Blur>,
    tiles: Tiles,
}

impl Detector {
    /// A detector with the model inside the library, one thread per physical core and the model's threshold.
    ///
    /// # Errors
    /// [`Error::Settings`] if the environment variable `EDGECLIP_ISA` names an instruction set that this CPU
    /// lacks; [`Error::Model`] if the library was built with a broken model.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// For another model, other thresholds or fewer threads.
    pub fn builder() -> DetectorBuilder {
        DetectorBuilder::default()
    }

    /// Looks for these from now on. Each item is a prompt in English, such as `red bus`, or `name = prompt` if
    /// another name shall be reported. Empty items are skipped, repeated ones merged. The other networks stay
    /// loaded.
    ///
    /// # Errors
    /// [`Error::Settings`] if there is no prompt, one is too long (500 characters or 64 tokens) or has no word
    /// that the text tower knows, a name has two prompts or a prompt two names, there are more than 20,000, or
    /// the library was built without the feature `text`.
    pub fn prompts<I>(mut self, prompts: I) -> Result<Self>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.set_prompts(prompts)?;
        Ok(self)
    }

    /// Same as [`Detector::prompts`], in place. After an error, the prompts are those of before.
    ///
    /// # Errors
    /// Same as [`Detector::prompts`].
    pub fn set_prompts<I>(&mut self, prompts: I) -> Result<()>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.set_words(&Words::each(&owned(prompts))?)
    }

    /// Looks from now on for what a file of `edgeclip vocab build` holds, which needs no text tower: a program
    /// that only reads such files starts faster and takes less memory.
    ///
    /// # Errors
    /// [`Error::Input`] if the file cannot be read or is broken; [`Error::Model`] if it was made for another
    /// model.
    pub fn vocabulary(mut self, file: impl AsRef<Path>) -> Result<Self> {
        self.set_vocabulary(file)?;
        Ok(self)
    }

    /// Same as [`Detector::vocabulary`], in place.
    ///
    /// # Errors
    /// Same as [`Detector::vocabulary`].
    pub fn set_vocabulary(&mut self, file: impl AsRef<Path>) -> Result<()> {
        self.set_words(&Words::File(file.as_ref().to_owned()))
    }

    fn set_words(&mut self, words: &Words) -> Result<()> {
        let mut embedder = lock(&self.embedder);
        let vocabulary = words.vocabulary(self.pipeline.manifest(), |prompts| embedder.embed(prompts))?;
        let blur = self.hidden.as_ref().map(|(prompts, threshold)| {
            Blur::new(prompts, *threshold, &vocabulary, |prompts| embedder.embed(prompts))
        });
        let blur = blur.transpose()?;
        drop(embedder);
        if let Some(warning) = vocabulary.ambiguity() {
            tracing::warn!("{warning}");
        }
        self.labels = vocabulary.reported().cloned().collect();
        (self.vocabulary, self.blur) = (Some(vocabulary), blur);
        Ok(())
    }

    /// What is looked for: the names that are reported, in the order of the prompts; not those that only compete or
    /// only zones ask for. Empty before the first prompts.
    pub fn labels(&self) -> &[Arc<str>] {
        &self.labels
    }

    /// Everything in `picture` that the prompts name and whose score reaches its threshold: boxes in pixels of
    /// the picture, and tags of the whole.
    ///
    /// # Errors
    /// [`Error::Settings`] if there were no prompts yet; [`Error::Input`] if the picture's fields contradict
    /// each other.
    pub fn detect(&self, picture: &(impl AsFrame + ?Sized)) -> Result<Findings> {
        let Some(vocabulary) = &self.vocabulary else {
            let expected = "a call of `prompts` or `vocabulary` first";
            return Err(Error::settings("Detector::detect", "nothing to look for", expected));
        };
        self.pipeline.detect(
            &picture.as_frame()?,
            vocabulary,
            self.thresholds,
            self.blur.as_ref(),
            self.tiles,
        )
    }

    /// The embedding of a whole picture: unit norm, 256 values with the model inside. Its dot product with
    /// that of another picture or of a text ([`Detector::embed_text`]) is their cosine similarity.
    ///
    /// # Errors
    /// [`Error::Input`] if the picture's fields contradict each other.
    pub fn embed(&self, picture: &(impl AsFrame + ?Sized)) -> Result<Vec<f32>> {
        let mut image = self.pipeline.encode(&picture.as_frame()?)?.output.image;
        normalise::l2(&mut image);
        Ok(image)
    }

    /// The embedding of each of `boxes`, given in pixels of `picture` and clipped to it; unit norm.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the box if it is inverted, empty, outside the picture or not finite;
    /// otherwise same as [`Detector::embed`].
    pub fn embed_boxes(&self, picture: &(impl AsFrame + ?Sized), boxes: &[Rect]) -> Result<Vec<Vec<f32>>> {
        let frame = picture.as_frame()?;
        let boxes = boxes.iter().enumerate();
        let boxes = boxes.map(|(i, rect)| clipped(&format!("box {i}"), *rect, frame.width, frame.height));
        let boxes = boxes.collect::<Result<Vec<_>>>()?;
        self.pipeline.embed_boxes(&self.pipeline.encode(&frame)?, &boxes)
    }

    /// The embedding of a text, such as "a dog on a beach": unit norm, in the space of [`Detector::embed`].
    /// The first call loads the text tower.
    ///
    /// ```no_run
    /// use edgeclip::{Detector, Picture};
    ///
    /// # fn main() -> edgeclip::Result<()> {
    /// let detector = Detector::new()?;
    /// let picture = detector.embed(&Picture::open("photo.jpg")?)?;
    /// let text = detector.embed_text("a dog on a beach")?;
    /// let cosine: f32 = picture.iter().zip(&text).map(|(a, b)| a * b).sum();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Settings`] if it is empty, too long or has no word that the text tower knows, or the library
    /// was built without the feature `text`.
    pub fn embed_text(&self, text: &str) -> Result<Vec<f32>> {
        let rows = self.embed_texts([text])?;
        rows.into_iter().next().ok_or_else(|| Error::bug("no embedding of a text"))
    }

    /// The embedding of each text; faster than one by one.
    ///
    /// # Errors
    /// Same as [`Detector::embed_text`], naming the text.
    pub fn embed_texts<I>(&self, texts: I) -> Result<Vec<Vec<f32>>>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        lock(&self.embedder).tower()?.embed(&owned(texts))
    }

    /// Frees the text tower's memory, some tens of megabytes. It is loaded again when it is next needed.
    pub fn release_text_tower(&mut self) {
        lock(&self.embedder).drop_tower();
    }

    /// Pixelates what [`DetectorBuilder::blur`] names in `picture`, as far as it was found.
    pub fn blur(&self, picture: &mut Picture, findings: &Findings) {
        let Picture { width, height, ref mut data, .. } = *picture;
        findings.blurred.iter().for_each(|area| pixelate(data, width, height, area));
    }

    /// Draws boxes, names and tags onto `picture`, in which what is to be blurred is blurred first. A label has the
    /// same colour in every picture as long as the prompts stay.
    ///
    /// ```no_run
    /// use edgeclip::{Detector, Picture};
    ///
    /// # fn main() -> edgeclip::Result<()> {
    /// let detector = Detector::new()?.prompts(["cat"])?;
    /// let mut picture = Picture::open("photo.jpg")?;
    /// let found = detector.detect(&picture)?;
    /// detector.annotate(&mut picture, &found);
    /// picture.save("out.png")
    /// # }
    /// ```
    pub fn annotate(&self, picture: &mut Picture, findings: &Findings) {
        self.blur(picture, findings);
        let Picture { ref name, width, height, ref mut data, .. } = *picture;
        sinks::annotate(data, &PictureReport { path: name, width, height, names: self.labels(), findings });
    }
}

impl fmt::Debug for Detector {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = to.debug_struct("Detector");
        debug.field("model", &self.pipeline.manifest().name).field("labels", &self.labels());
        debug.field("thresholds", &self.thresholds).finish_non_exhaustive()
    }
}

/// A panic elsewhere leaves an embedder whole: at worst, it has no text tower.
fn lock(embedder: &Mutex<Embedder>) -> MutexGuard<'_, Embedder> {
    embedder.lock().unwrap_or_else(PoisonError::into_inner)
}

fn owned<I>(items: I) -> Vec<String>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    items.into_iter().map(|item| item.as_ref().to_owned()).collect()
}

#[cfg(test)]
#[cfg(feature = "text")]
#[path = "tests.rs"]
mod tests;
