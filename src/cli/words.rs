//! What to look for: prompts or a vocabulary file.

use std::path::PathBuf;

use super::model::networks;
use crate::error::{Error, Result};
use crate::model::{Bundle, Networks};
use crate::vocabulary::{Prompt, Vocabulary};

/// The flags that name what to look for.
#[derive(clap::Args)]
pub struct WordArgs {
    /// What to look for: a comma list, or @FILE with one prompt a line; `name = prompt` prints another name
    #[arg(long, value_name = "LIST|@FILE")]
    prompt: Option<String>,
    /// What to look for: a file made by `edgeclip vocab build`, which is quicker to load
    #[arg(long, value_name = "FILE")]
    vocab: Option<PathBuf>,
}

impl WordArgs {
    /// The words; `command` is named in errors.
    ///
    /// # Errors
    /// [`Error::Input`] if there are none, both kinds, or prompts that cannot be parsed.
    pub fn words(&self, command: &str) -> Result<Words> {
        match (&self.prompt, &self.vocab) {
            (Some(prompt), None) => Ok(Words::Prompts(Prompt::parse(prompt)?)),
            (None, Some(file)) => Ok(Words::File(file.clone())),
            (None, None) => {
                let expected = "for example --prompt \"person, dog, red bus\" or --vocab FILE";
                Err(Error::input(command, "nothing to look for", expected))
            }
            (Some(_), Some(_)) => Err(Error::input(command, "both --prompt and --vocab", "one of them")),
        }
    }
}

/// What to look for, as the user gave it.
pub enum Words {
    /// Prompts, to be embedded.
    Prompts(Vec<Prompt>),
    /// A vocabulary file.
    File(PathBuf),
}

impl Words {
    /// Loads the networks that these words need and embeds the prompts.
    ///
    /// # Errors
    /// Prompts, the vocabulary file or the model cannot be used.
    pub fn load(&self, bundle: &Bundle, threads: usize) -> Result<(Vocabulary, Networks)> {
        match self {
            Self::File(path) => {
                let vocabulary = Vocabulary::open(path)?;
                vocabulary.check_fits(&path.display().to_string(), &bundle.manifest)?;
                Ok((vocabulary, networks(bundle, false, threads)?))
            }
            Self::Prompts(prompts) => {
                let bank = Vocabulary::bank(bundle)?;
                let networks = networks(bundle, true, threads)?;
                let tower =
                    networks.text.as_ref().ok_or_else(|| Error::Internal("no text tower".to_owned()))?;
                let vocabulary =
                    Vocabulary::build(prompts, tower, &bank, bundle.manifest.score.max_similarity)?;
                Ok((vocabulary, networks))
            }
        }
    }
}
