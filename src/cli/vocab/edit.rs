//! `edgeclip vocab remove`, `rename`, `merge` and `undo`

use std::path::PathBuf;

use super::file::VocabularyFile;
use super::show::holds;
use crate::cli::print_text;
use crate::error::{Error, Result};
use crate::sinks::Inputs;
use crate::vocabulary::Vocabulary;

/// Remove names, or single examples, from a vocabulary file
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip vocab remove things.vocab.safetensors \"our van\"
  edgeclip vocab remove things.vocab.safetensors --example 0a1b2c3d4e5f
    where `edgeclip vocab show --examples` lists examples")]
pub(super) struct RemoveArgs {
    /// Vocabulary file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Names to remove, with their words and examples
    #[arg(value_name = "NAME", required_unless_present = "examples")]
    names: Vec<String>,
    /// An example to remove, by its id; repeat for more
    #[arg(long = "example", value_name = "ID")]
    examples: Vec<String>,
}

/// Give a name of a vocabulary file another
#[derive(clap::Args)]
#[command(after_help = "Example:\n  edgeclip vocab rename things.vocab.safetensors van \"our van\"")]
pub(super) struct RenameArgs {
    /// Vocabulary file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name as it is
    #[arg(value_name = "NAME")]
    from: String,
    /// The name as it shall be
    #[arg(value_name = "NEW")]
    to: String,
}

/// Join names of a vocabulary file: words and examples of all of them under the first
#[derive(clap::Args)]
#[command(after_help = "Example:\n  edgeclip vocab merge things.vocab.safetensors van \"white van\" lorry")]
pub(super) struct MergeArgs {
    /// Vocabulary file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The name that stays
    #[arg(value_name = "NAME")]
    into: String,
    /// Names that go
    #[arg(value_name = "OTHER", required = true)]
    others: Vec<String>,
}

/// Take the last change of a vocabulary file back; once more, and it is there again
#[derive(clap::Args)]
#[command(after_help = "Example:\n  edgeclip vocab undo things.vocab.safetensors")]
pub(super) struct UndoArgs {
    /// Vocabulary file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Removes names and examples.
///
/// # Errors
/// The file cannot be used, or there is no such name.
pub(super) fn remove(args: &RemoveArgs) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    change(&args.file, |vocabulary| {
        for name in &args.names {
            let label = position(vocabulary, name)?;
            lines.push(format!("{name}: removed, with {}", holds(vocabulary, label)));
            vocabulary.remove(label);
        }
        for id in &args.examples {
            if vocabulary.remove_example(id) == 0 {
                let expected = "an id that `edgeclip vocab show --examples` lists";
                return Err(Error::settings("--example", format!("\"{id}\""), expected));
            }
            lines.push(format!("{id}: removed"));
        }
        let bare = (0..vocabulary.len()).find(|label| vocabulary.is_bare(*label));
        if let Some(label) = bare {
            let name = vocabulary.name(label).to_owned();
            let expected =
                format!("words or examples of it; `edgeclip vocab remove FILE \"{name}\"` drops the name");
            return Err(Error::settings(name, "its last example", expected));
        }
        Ok(())
    })?;
    print_text(&lines.join("\n"))?;
    Ok(())
}

/// Renames.
///
/// # Errors
/// The file cannot be used, there is no such name, or the new one is taken.
pub(super) fn rename(args: &RenameArgs) -> anyhow::Result<()> {
    change(&args.file, |vocabulary| {
        let label = position(vocabulary, &args.from)?;
        vocabulary.rename(label, &args.to)
    })?;
    print_text(&format!("{}: was {}", args.to, args.from))?;
    Ok(())
}

/// Joins names.
///
/// # Errors
/// The file cannot be used, or there is no such name.
pub(super) fn merge(args: &MergeArgs) -> anyhow::Result<()> {
    let held = change(&args.file, |vocabulary| {
        for other in &args.others {
            let (into, from) = (position(vocabulary, &args.into)?, position(vocabulary, other)?);
            if into == from {
                return Err(Error::settings("merge", format!("\"{other}\" with itself"), "two names"));
            }
            vocabulary.merge(from, into);
        }
        Ok(holds(vocabulary, position(vocabulary, &args.into)?))
    })?;
    print_text(&format!("{}: now {held}", args.into))?;
    Ok(())
}

/// Takes the last change back.
///
/// # Errors
/// There is none, or the file has been changed in another way since.
pub(super) fn undo(args: &UndoArgs) -> anyhow::Result<()> {
    let file = VocabularyFile::new(&args.file, &Inputs::default())?;
    file.undo()?;
    print_text(&format!("{}: as before the last change", file.shown()))?;
    Ok(())
}

fn change<T>(path: &std::path::Path, change: impl FnOnce(&mut Vocabulary) -> Result<T>) -> Result<T> {
    let file = VocabularyFile::new(path, &Inputs::default())?;
    file.update(
        || Err(file.existing().err().unwrap_or_else(|| Error::bug("a file that came meanwhile"))),
        change,
    )
}

/// The place of a name.
///
/// # Errors
/// [`Error::Settings`] if there is no such name.
pub(super) fn position(vocabulary: &Vocabulary, name: &str) -> Result<usize> {
    vocabulary.position(name).ok_or_else(|| {
        let names: Vec<&str> = vocabulary.names().iter().take(5).map(|name| &**name).collect();
        let more = if vocabulary.len() > names.len() { ", …" } else { "" };
        Error::settings(
            "name",
            format!("\"{name}\""),
            format!("one of the file's: {}{more}", names.join(", ")),
        )
    })
}
