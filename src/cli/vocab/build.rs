//! `edgeclip vocab build`

use std::path::PathBuf;

use crate::cli::detect::probability;
use crate::cli::model::ModelArgs;
use crate::cli::words::{prompt_file, prompts_of};
use crate::cli::{print_text, shown};
use crate::sinks::{PUBLIC, Target};
use crate::vocabulary::Embedder;

/// Embed prompts and write them into a file for `detect --vocab`
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip vocab build --prompt \"person, dog, red bus\" --out street.vocab.safetensors
  edgeclip vocab build --prompt @things.txt --out things.vocab.safetensors --threshold dog=0.4 --threshold cat=0.5")]
pub(super) struct BuildArgs {
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

/// Embeds prompts.
///
/// # Errors
/// Prompts, labels, files or the model cannot be used.
pub(super) fn run(args: &BuildArgs) -> anyhow::Result<()> {
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
    print_text(&format!("{}: {labels} labels, {negatives} negatives", shown(&args.out)))?;
    Ok(())
}

/// `label=0.4`; the label may hold `=`.
fn label_threshold(text: &str) -> std::result::Result<(String, f32), String> {
    let (label, score) = text.rsplit_once('=').ok_or("expected LABEL=SCORE, for example dog=0.4")?;
    Ok((label.trim().to_owned(), probability(score.trim())?))
}
