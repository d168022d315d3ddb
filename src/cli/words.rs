//! What to look for, by flags or by the configuration file.

use std::path::{Path, PathBuf};

use tracing_subscriber::filter::LevelFilter;

use super::log;
use crate::config::Prompts;
use crate::error::{Error, Result};
use crate::model::TEXT;
use crate::pipeline::Words;
use crate::sinks::Inputs;
use crate::vocabulary::Prompt;

/// The flags that name what to look for.
#[derive(clap::Args)]
pub(crate) struct WordArgs {
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
    /// Those of [`words`].
    pub(crate) fn words(&self, command: &str) -> Result<Words> {
        let prompts = self.prompt.clone().map(Prompts::List);
        words(command, prompts.as_ref(), self.vocab.as_deref())
    }

    /// Adds the files that they are read from.
    pub(crate) fn add_to(&self, inputs: &mut Inputs) {
        let prompts = self.prompt.as_deref().and_then(prompt_file);
        prompts.iter().chain(&self.vocab).for_each(|file| inputs.add_file(file));
    }
}

/// The file of `@FILE`.
pub(crate) fn prompt_file(list: &str) -> Option<PathBuf> {
    list.trim().strip_prefix('@').map(PathBuf::from)
}

/// The one of `prompts` and `vocab` that is given; `command` is named in errors.
///
/// # Errors
/// [`Error::Settings`] if there is none, both, or prompts that cannot be parsed or embedded.
pub(crate) fn words(command: &str, prompts: Option<&Prompts>, vocab: Option<&Path>) -> Result<Words> {
    match (prompts, vocab) {
        (None, None) => {
            let expected = "for example --prompt \"person, dog, red bus\" or --vocab FILE";
            return Err(Error::settings(command, "nothing to look for", expected));
        }
        (Some(_), Some(_)) => {
            return Err(Error::settings(command, "both prompt and vocab", "one of them"));
        }
        (Some(_), None) => require_text()?,
        (None, Some(_)) => {}
    }
    let words = Words::choose(prompts, vocab).map_err(|error| match prompts {
        Some(Prompts::List(_)) => flagged(error),
        _ => error,
    })?;
    words.ok_or_else(|| Error::bug("neither prompts nor a vocabulary file"))
}

/// The prompts of `--prompt`.
///
/// # Errors
/// Those of [`Prompt::parse`], and if this program has no text tower.
pub(crate) fn prompts_of(list: &str) -> Result<Vec<Prompt>> {
    require_text()?;
    // Of prompts that may be one thing or two.
    log::start(LevelFilter::WARN);
    Prompt::parse(list).map_err(flagged)
}

/// The same by the flag's name, unless it is about the file that the flag names.
fn flagged(error: Error) -> Error {
    if error.name() == "prompt" { error.renamed("--prompt") } else { error }
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
