//! Names for what was found: prompts, their embeddings, and the probability that a region or picture shows
//! them.

mod ambiguity;
mod classes;
mod edit;
mod embedder;
mod embeddings;
mod entry;
mod examples;
mod file;
mod lesson;
mod list;
mod matching;
mod places;
mod prompts;
mod texts;
mod words;

pub(crate) use ambiguity::HARD_TO_TELL_APART;
pub(crate) use classes::{Called, Links};
pub(crate) use edit::Added;
pub(crate) use embedder::Embedder;
pub(crate) use entry::{Entry, Kind};
pub(crate) use examples::{Evidence, Example, MOST_EXAMPLES, MOST_OF_ENTRY, Origin, mean};
pub(crate) use lesson::Lesson;
pub(crate) use matching::{choice_scores, region_scores, tag_scores};
pub(crate) use prompts::{MAX_PROMPTS, Prompt};
pub(crate) use words::Vocabulary;

#[cfg(test)]
pub(crate) use words::tests::vocabulary as plain_vocabulary;

#[cfg(test)]
#[cfg(feature = "text")]
mod cost_tests;
