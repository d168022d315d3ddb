//! `edgeclip vocab build` and `edgeclip vocab show`

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::detect::probability;
use super::model::ModelArgs;
use super::words::{prompt_file, prompts_of};
use super::{Failures, print};
use crate::error::{LONG, printable};
use crate::pipeline::open_vocabulary;
use crate::sinks::{PUBLIC, Target};
use crate::vocabulary::{Embedder, HARD_TO_TELL_APART, Neighbour, Vocabulary};

/// Make and inspect vocabulary files: prompts embedded once, to be used often
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Build(BuildArgs),
    Show(ShowArgs),
}

/// Embed prompts and write them into a file for `detect --vocab`
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip vocab build --prompt \"person, dog, red bus\" --out street.vocab.safetensors
  edgeclip vocab build --prompt @things.txt --out things.vocab.safetensors --threshold dog=0.4 --threshold cat=0.5")]
struct BuildArgs {
    /// A comma list, or @FILE with one prompt per line; `name = prompt` prints another name
    #[arg(long, value_name = "LIST|@FILE")]
    prompt: String,
    /// File to write, by custom NAME.vocab.safetensors
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Replace a file that is there already, except for inputs
    #[arg(long)]
    force: bool,
    /// Lowest score to report for one label; repeat for more
    #[arg(long, value_name = "LABEL=SCORE", value_parser = label_threshold)]
    threshold: Vec<(String, f32)>,
    #[command(flatten)]
    model: ModelArgs,
}

/// Print what a vocabulary file holds, and which prompts are hard to tell apart
#[derive(clap::Args)]
#[command(after_help = "Example:\n  edgeclip vocab show street.vocab.safetensors")]
struct ShowArgs {
    /// File made by `edgeclip vocab build`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object
    Json,
    /// For people
    Text,
}

/// Runs the subcommand.
///
/// # Errors
/// Prompts, labels, files or the model cannot be used.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    match &args.command {
        Command::Build(args) => build(args)?,
        Command::Show(args) => show(args)?,
    }
    Ok(Failures::default())
}

fn build(args: &BuildArgs) -> anyhow::Result<()> {
    let prompts = prompts_of(&args.prompt)?;
    let mut inputs = args.model.inputs();
    prompt_file(&args.prompt).iter().for_each(|file| inputs.add_file(file));
    let out = Target::new(&args.out, "--out", PUBLIC, args.force, &inputs)?;
    let mut vocabulary = Embedder::new(args.model.bundle()?).embed(&prompts)?;
    for (name, threshold) in &args.threshold {
        vocabulary.set_threshold(name, *threshold).map_err(|error| error.renamed("--threshold"))?;
    }
    out.write(&vocabulary.to_bytes()?)?;
    let (labels, negatives) = (vocabulary.len(), vocabulary.negatives().len());
    print(|out| writeln!(out, "{}: {labels} labels, {negatives} negatives", shown(&args.out)))?;
    Ok(())
}

fn show(args: &ShowArgs) -> anyhow::Result<()> {
    let vocabulary = open_vocabulary(&args.file, None)?;
    let text = match args.format {
        Format::Json => as_json(&vocabulary),
        Format::Text => as_text(&args.file, &vocabulary),
    };
    print(|out| writeln!(out, "{text}"))?;
    Ok(())
}

/// Name, prompt, threshold and nearest neighbour of each label.
fn labels(vocabulary: &Vocabulary) -> impl Iterator<Item = (&str, &str, Option<f32>, Option<Neighbour>)> {
    let texts = vocabulary.names().iter().zip(vocabulary.prompts());
    let numbers = vocabulary.thresholds().iter().zip(vocabulary.nearest());
    texts
        .zip(numbers)
        .map(|((name, prompt), (threshold, nearest))| (&**name, prompt.as_str(), *threshold, nearest))
}

fn as_json(vocabulary: &Vocabulary) -> String {
    let two = |v: f32| (f64::from(v) * 1e4).round() / 1e4;
    let label = |(name, prompt, threshold, nearest): (&str, &str, Option<f32>, Option<Neighbour>)| {
        let nearest = nearest
            .map(|n| json!({ "label": vocabulary.names().get(n.label).map(|name| &**name), "similarity": two(n.similarity) }));
        json!({ "label": name, "prompt": prompt, "threshold": threshold.map(two), "nearest": nearest })
    };
    let content = json!({
        "labels": labels(vocabulary).map(label).collect::<Vec<_>>(),
        "embedding": vocabulary.embeddings().dimension(),
        "negatives": vocabulary.negatives().len(),
        "text_sha256": vocabulary.text_sha256(),
    });
    content.to_string()
}

fn as_text(file: &Path, vocabulary: &Vocabulary) -> String {
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let mut lines = vec![
        format!(
            "{}: {}, {}, {} values per embedding",
            shown(file),
            count(vocabulary.len(), "label"),
            count(vocabulary.negatives().len(), "negative"),
            vocabulary.embeddings().dimension()
        ),
        format!("made by text tower {}", vocabulary.text_sha256()),
        String::new(),
    ];
    let widest = vocabulary.names().iter().map(|name| name.chars().count()).max().unwrap_or(0).min(40);
    let (mut warnings, mut told) = (Vec::new(), HashSet::new());
    for (name, prompt, threshold, nearest) in labels(vocabulary) {
        let threshold = threshold.map_or("default".to_owned(), |t| format!("{t:.2}"));
        let prompt = if prompt == name { "" } else { prompt };
        lines.push(format!("  {name:widest$}  {threshold:>7}  {prompt}").trim_end().to_owned());
        let Some(near) = nearest.filter(|near| near.similarity >= HARD_TO_TELL_APART) else { continue };
        // A pair that is nearest both ways is printed once.
        let other = vocabulary.names().get(near.label).map(|other| &**other);
        let other = other.filter(|other| !told.contains(&(*other, name)));
        if let Some(other) = other {
            told.insert((name, other));
            warnings
                .push(format!("hard to tell apart: {name} and {other} (similarity {:.2})", near.similarity));
        }
    }
    if !warnings.is_empty() {
        lines.push(String::new());
        lines.extend(warnings);
    }
    lines.join("\n")
}

/// A file's name, which may hold anything but a zero.
fn shown(file: &Path) -> String {
    printable(&file.display().to_string(), LONG)
}

/// `label=0.4`; the label may hold `=`.
fn label_threshold(text: &str) -> std::result::Result<(String, f32), String> {
    let (label, score) = text.rsplit_once('=').ok_or("expected LABEL=SCORE, for example dog=0.4")?;
    Ok((label.trim().to_owned(), probability(score.trim())?))
}
