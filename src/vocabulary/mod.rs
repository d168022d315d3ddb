//! Names for what was found: prompts, their embeddings, and the probability that a region or picture shows
//! them.

mod embedder;
mod embeddings;
mod file;
mod matching;
mod prompts;
mod words;

pub use embedder::Embedder;
pub use embeddings::{Embeddings, normalised};
pub use matching::{choice_scores, region_scores, tag_scores};
pub use prompts::{MAX_CHARACTERS, MAX_PROMPTS, Prompt};
pub use words::{Neighbour, Vocabulary};
