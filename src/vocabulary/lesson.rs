//! What a running program is taught: examples that are not in the vocabulary that it was started with.

use super::embedder::Embedder;
use super::examples::Origin;
#[cfg(feature = "serve")]
use super::prompts::Prompt;
use super::words::Vocabulary;
use crate::error::Result;
use crate::model::{FeatureVector, SpaceId};

/// An example of a name, or of what it is not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lesson {
    /// The name.
    pub name: String,
    /// Words that say roughly the same, with their embedding.
    pub words: Option<(String, Vec<f32>)>,
    /// Whether it shows what the name is not.
    pub counter: bool,
    /// What is there.
    pub vector: FeatureVector,
    /// What made the vector.
    pub space: SpaceId,
    /// Where it is from.
    pub origin: Origin,
}

impl Embedder {
    /// The embedding of words, as a lesson takes it.
    ///
    /// # Errors
    /// Those of [`Embedder::embed`].
    #[cfg(feature = "serve")]
    pub(crate) fn words_of_lesson(&mut self, text: &str) -> Result<(String, Vec<f32>)> {
        let prompt = Prompt { name: text.to_owned(), text: text.to_owned() };
        let made = self.embed(&[prompt])?;
        let row = made.embeddings().rows().next().map_or_else(Vec::new, <[f32]>::to_vec);
        Ok((text.to_owned(), row))
    }

    /// Adds lessons to a vocabulary. What a name is not is of no use where the name is not looked for.
    ///
    /// # Errors
    /// A lesson contradicts another, or the bank cannot be read.
    pub(crate) fn teach(&mut self, vocabulary: &mut Vocabulary, lessons: &[Lesson]) -> Result<()> {
        for lesson in lessons {
            if lesson.counter && vocabulary.position(&lesson.name).is_none() {
                continue;
            }
            let label = vocabulary.ensure(&lesson.name)?;
            if let Some(words) = &lesson.words {
                let most = self.bundle().manifest.score.max_similarity;
                vocabulary.add_words(label, std::slice::from_ref(words), self.bank()?, most)?;
            }
            let (vector, origin) = (lesson.vector.clone(), lesson.origin.clone());
            vocabulary.add_example(label, lesson.counter, vector, &lesson.space, origin)?;
        }
        Ok(())
    }
}
