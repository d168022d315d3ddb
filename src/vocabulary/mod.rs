//! Names for what was found: prompts, their embeddings, and the probability that a region or picture shows
//! them.

mod ambiguity;
mod embedder;
mod embeddings;
mod file;
mod list;
mod matching;
mod places;
mod prompts;
mod words;

pub(crate) use ambiguity::HARD_TO_TELL_APART;
pub(crate) use embedder::Embedder;
pub(crate) use matching::{choice_scores, region_scores, tag_scores};
pub(crate) use prompts::{MAX_PROMPTS, Prompt};
pub(crate) use words::{Neighbour, Vocabulary};

#[cfg(test)]
#[cfg(feature = "text")]
mod cost_tests;
