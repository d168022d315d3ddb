//! Names for what was found: prompts, their embeddings, and the probability that a region or picture shows them.

mod embeddings;
mod file;
mod matching;
mod prompts;
mod words;

pub use embeddings::{Embeddings, normalised};
pub use matching::{region_scores, tag_scores};
pub use prompts::{MAX_CHARACTERS, MAX_PROMPTS, Prompt};
pub use words::{Neighbour, Vocabulary};

use crate::geometry::Rect;

/// A named box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Index of the name in its [`Vocabulary`].
    pub label: usize,
    /// Probability that the box shows what the prompt says, 0 to 1.
    pub score: f32,
    /// Where, in pixels of the source picture.
    pub rect: Rect,
}

/// A name for the whole picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tag {
    /// Index of the name in its [`Vocabulary`].
    pub label: usize,
    /// Probability that the picture shows what the prompt says, 0 to 1.
    pub score: f32,
}
