//! What to look for: prompts or a vocabulary file.

use std::path::{Path, PathBuf};

use super::model::networks;
use crate::config::Prompts;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Bundle, Manifest, TEXT};
use crate::pipeline::Pipeline;
use crate::vocabulary::{Embedder, Prompt, Vocabulary};

/// The flags that name what to look for.
#[derive(clap::Args)]
pub struct WordArgs {
    /// What to look for: a comma list, or @FILE with one prompt per line; `name = prompt` prints another name
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
    /// Those of [`Words::choose`].
    pub fn words(&self, command: &str) -> Result<Words> {
        let prompts = self.prompt.clone().map(Prompts::List);
        Words::choose(command, prompts.as_ref(), self.vocab.as_deref())
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
    /// The one of `prompts` and `vocab` that is given; `command` is named in errors.
    ///
    /// # Errors
    /// [`Error::Settings`] if there is none, both, or prompts that cannot be parsed.
    pub fn choose(command: &str, prompts: Option<&Prompts>, vocab: Option<&Path>) -> Result<Self> {
        match (prompts, vocab) {
            (Some(Prompts::List(list)), None) => Ok(Self::Prompts(prompts_of(list)?)),
            (Some(Prompts::Each(each)), None) => {
                require_text()?;
                Ok(Self::Prompts(Prompt::each("prompt", each)?))
            }
            (None, Some(file)) => Ok(Self::File(file.to_owned())),
            (None, None) => {
                let expected = "for example --prompt \"person, dog, red bus\" or --vocab FILE";
                Err(Error::settings(command, "nothing to look for", expected))
            }
            (Some(_), Some(_)) => Err(Error::settings(command, "both prompt and vocab", "one of them")),
        }
    }

    /// Whether the text tower is needed.
    pub fn need_text(&self) -> bool {
        matches!(self, Self::Prompts(_))
    }

    /// The vocabulary of these words. `embed` makes that of prompts.
    ///
    /// # Errors
    /// The vocabulary file cannot be used with the model, or those of `embed`.
    pub fn vocabulary(
        &self,
        manifest: &Manifest,
        embed: impl FnOnce(&[Prompt]) -> Result<Vocabulary>,
    ) -> Result<Vocabulary> {
        match self {
            Self::File(path) => open_vocabulary(path, Some(manifest)),
            Self::Prompts(prompts) => embed(prompts),
        }
    }

    /// Loads the networks that these words need, and the vocabulary.
    ///
    /// # Errors
    /// Prompts, the vocabulary file or the model cannot be used.
    pub fn load(&self, bundle: Bundle, threads: usize) -> Result<(Pipeline, Vocabulary)> {
        let manifest = bundle.manifest.clone();
        let mut networks = networks(&bundle, self.need_text(), threads)?;
        let mut embedder = Embedder::new(bundle);
        embedder.set_tower(networks.text.take());
        let vocabulary = self.vocabulary(&manifest, |prompts| embedder.embed(prompts))?;
        Ok((Pipeline::new(networks, manifest), vocabulary))
    }
}

/// The prompts of `--prompt`.
///
/// # Errors
/// Those of [`Prompt::parse`] and [`require_text`].
pub fn prompts_of(list: &str) -> Result<Vec<Prompt>> {
    require_text()?;
    Prompt::parse(list)
        .map_err(|error| if error.name() == "prompt" { error.renamed("--prompt") } else { error })
}

/// Whether this program can embed prompts.
fn require_text() -> Result<()> {
    if cfg!(feature = "text") {
        return Ok(());
    }
    let expected = "--vocab FILE; a program with text tower makes the file: \
                    `edgeclip vocab build --prompt \"person, dog\" --out FILE`";
    Err(Error::settings(TEXT, "a program built without text tower", expected))
}

/// Reads a vocabulary file, which must fit the model if one is given.
///
/// # Errors
/// Those of [`Vocabulary::open`] and [`Vocabulary::check_fits`], with what to type.
pub fn open_vocabulary(path: &Path, manifest: Option<&Manifest>) -> Result<Vocabulary> {
    let opened = Vocabulary::open(path).and_then(|vocabulary| {
        manifest.map_or(Ok(()), |manifest| vocabulary.check_fits(&path.display().to_string(), manifest))?;
        Ok(vocabulary)
    });
    opened.map_err(|error| match error.kind() {
        ErrorKind::Model => error.advised(": run `edgeclip vocab build` again with the same prompts"),
        _ => error.advised("; `edgeclip vocab build` makes vocabulary files"),
    })
}
