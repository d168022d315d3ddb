//! What to look for: prompts or a vocabulary file.

use std::path::{Path, PathBuf};

use crate::config::Prompts;
use crate::error::{Error, Result};
use crate::model::Manifest;
use crate::vocabulary::{Prompt, Vocabulary};

/// What to look for, as the user gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Words {
    /// Prompts, to be embedded.
    Prompts(Vec<Prompt>),
    /// A vocabulary file.
    File(PathBuf),
}

impl Words {
    /// The one of `prompts` and `vocab` that is given; `None` if neither is.
    ///
    /// # Errors
    /// [`Error::Settings`] if both are given, or prompts cannot be parsed.
    pub(crate) fn choose(prompts: Option<&Prompts>, vocab: Option<&Path>) -> Result<Option<Self>> {
        Ok(match (prompts, vocab) {
            (Some(Prompts::List(list)), None) => Some(Self::Prompts(Prompt::parse(list)?)),
            (Some(Prompts::Each(each)), None) => Some(Self::each(each)?),
            (None, Some(file)) => Some(Self::File(file.to_owned())),
            (None, None) => None,
            (Some(_), Some(_)) => {
                return Err(Error::settings("prompt", "both prompt and vocab", "one of them"));
            }
        })
    }

    /// One prompt per item.
    ///
    /// # Errors
    /// Same as [`Prompt::each`].
    pub(crate) fn each(items: &[String]) -> Result<Self> {
        Ok(Self::Prompts(Prompt::each("prompt", items)?))
    }

    /// Whether the text tower is needed.
    pub(crate) fn need_text(&self) -> bool {
        matches!(self, Self::Prompts(_))
    }

    /// The vocabulary of these words. `embed` makes that of prompts.
    ///
    /// # Errors
    /// The vocabulary file cannot be used with the model, or those of `embed`.
    pub(crate) fn vocabulary(
        &self,
        manifest: &Manifest,
        embed: impl FnOnce(&[Prompt]) -> Result<Vocabulary>,
    ) -> Result<Vocabulary> {
        match self {
            Self::File(path) => open_vocabulary(path, Some(manifest)),
            Self::Prompts(prompts) => embed(prompts),
        }
    }
}

/// The prompts of `blur`.
///
/// # Errors
/// [`Error::Settings`] if they cannot be parsed.
pub(crate) fn hidden_words(blur: &Prompts) -> Result<Vec<Prompt>> {
    let words = match blur {
        Prompts::List(list) => Prompt::parse(list),
        Prompts::Each(each) => Prompt::each("blur", each),
    };
    words.map_err(|error| if error.name() == "prompt" { error.renamed("blur") } else { error })
}

/// Reads a vocabulary file, which must fit the model if one is given.
///
/// # Errors
/// Those of [`Vocabulary::open`] and [`Vocabulary::check_fits`], with what to type.
pub(crate) fn open_vocabulary(path: &Path, manifest: Option<&Manifest>) -> Result<Vocabulary> {
    let opened = Vocabulary::open(path);
    let vocabulary =
        opened.map_err(|error| error.advised("; `edgeclip vocab build` makes vocabulary files"))?;
    let fits =
        manifest.map_or(Ok(()), |manifest| vocabulary.check_fits(&path.display().to_string(), manifest));
    fits.map_err(|error| match vocabulary.is_taught() {
        true => error.advised(": `edgeclip vocab renew` embeds words and kept crops again"),
        false => error.advised(": run `edgeclip vocab build` again with the same prompts"),
    })?;
    Ok(vocabulary)
}
