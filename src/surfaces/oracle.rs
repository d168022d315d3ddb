//! Questions that take the model: each in its turn, between two frames or beside the loop.

use std::sync::Arc;

use crate::error::Result;
use crate::geometry::Rect;
use crate::report::{FeatureRecord, Findings};
use crate::sinks::Recalled;
use crate::source::Picture;

/// Is told the answer.
pub(crate) type Told<T> = Box<dyn FnOnce(Result<T>) + Send>;

/// Answers without keeping whoever asks waiting.
pub(crate) trait Oracle: Send + Sync {
    /// What a picture shows of what is looked for; from `threshold` on, if there is one.
    fn detect(&self, picture: Picture, threshold: Option<f32>, told: Told<Findings>);

    /// The embedding of a whole picture.
    fn embed_picture(&self, picture: Picture, told: Told<Vec<f32>>);

    /// The embeddings of texts.
    fn embed_texts(&self, texts: Vec<String>, told: Told<Vec<Vec<f32>>>);

    /// What was seen that is most probably what a sentence says.
    fn recall(&self, asked: Asked, told: Told<Recalled>);

    /// Shows an example; gives its id.
    fn show(&self, shown: Shown, told: Told<String>);

    /// The settings as they are now, as a configuration file, without passwords in addresses.
    fn configuration(&self, told: Told<String>);

    /// Saves what commands have changed; if that would replace anything, only with `replace`.
    fn save(&self, replace: bool, told: Told<Saved>);

    /// Says what an object really was.
    fn correct(&self, correction: Correction, told: Told<()>);
}

/// What was saved, or would be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Saved {
    /// Names of files.
    pub files: Vec<String>,
    /// Keys of the configuration that have changed.
    pub keys: Vec<&'static str>,
    /// Whether it was done; if not, somebody has to agree to it first.
    pub done: bool,
}

/// A sentence, and where to search for it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The sentence.
    pub sentence: String,
    /// From when on, as people write it.
    pub since: Option<String>,
    /// Until when.
    pub until: Option<String>,
    /// Names of sources; all if empty.
    pub sources: Vec<String>,
    /// Names of things; all if empty.
    pub labels: Vec<String>,
    /// Most that are found.
    pub count: usize,
}

/// An example of a name, or of what it is not.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// A frame.
    pub picture: Arc<Picture>,
    /// What it was a frame of, for lists.
    pub origin: String,
    /// Where in it, in pixels; the whole, if that is not said.
    pub rect: Option<Rect>,
    /// The name.
    pub name: String,
    /// Words that say roughly the same.
    pub words: Option<String>,
    /// Whether it shows what the name is not.
    pub counter: bool,
}

/// What an object of an event was.
#[derive(Debug, Clone)]
pub(crate) struct Correction {
    /// What it looked like.
    pub features: FeatureRecord,
    /// The event, for lists.
    pub origin: String,
    /// What it was called.
    pub label: String,
    /// Whether that was right.
    pub right: bool,
    /// What it was.
    pub is: Option<String>,
}
