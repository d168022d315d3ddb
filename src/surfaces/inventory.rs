//! What is looked for and where, as those need it who show it.

use std::sync::Arc;

use crate::events;
use crate::privacy::Mask;

/// Everything that a running loop looks for. It changes with the configuration.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Inventory {
    /// The prompts as a comma list; `None` if they are from a vocabulary file.
    pub prompts: Option<String>,
    /// The vocabulary file's name, if it is that which is looked for.
    pub vocabulary: Option<String>,
    /// All names that are reported.
    pub labels: Vec<Label>,
    /// Cameras and the like.
    pub sources: Vec<WatchedSource>,
    /// The model's name.
    pub model: String,
    /// Whether commands have changed what could be saved.
    pub unsaved: bool,
    /// What tells whether vectors of this model may be compared with others: eight hexadecimal digits.
    pub space: String,
}

/// A name that is reported.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it has boxes; if not, it is a tag of the whole picture.
    pub has_boxes: bool,
    /// Lowest score that is reported, 0 to 1.
    pub threshold: f32,
    /// How many pictures show what it is.
    pub examples: usize,
}

/// A source with what is watched in its pictures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WatchedSource {
    /// What results call it.
    pub name: Arc<str>,
    /// Its zones, lines and tags.
    pub events: events::Settings,
    /// What is black in them, besides the masks of all sources.
    pub masks: Vec<Mask>,
    /// Whether it is looked at.
    pub on: bool,
}
