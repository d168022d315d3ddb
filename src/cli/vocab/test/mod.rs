//! `edgeclip vocab test`

mod alarms;
mod leave_one_out;

use std::path::{Path, PathBuf};

use serde_json::json;

use self::alarms::{Scores, proposed};
use self::leave_one_out::{Outcome, leave_one_out};
use super::file::VocabularyFile;
use crate::cli::limits::LimitArgs;
use crate::cli::model::{ModelArgs, networks};
use crate::cli::{Failures, print_text};
use crate::error::{Error, Result};
use crate::pipeline::{AskedScores, Pipeline, Thresholds};
use crate::source::apart::Pictures;
use crate::source::expand;
use crate::vocabulary::Vocabulary;

/// How well the names of a vocabulary file are told apart, and at which thresholds they keep quiet
///
/// Each example is told from all names as if it were new: by its name's words and other examples together, as `run` does
/// it, and by examples alone. Pictures count for the name that their folder is
/// called after: `van/1.jpg` shows a van.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip vocab test things.vocab.safetensors
  edgeclip vocab test things.vocab.safetensors photos/van photos/lorry --nothing empty/ --fit")]
pub(super) struct TestArgs {
    /// Vocabulary file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Pictures in folders called after names of the file
    #[arg(value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
    /// Pictures that show none of it: false alarms on them are counted, and thresholds proposed that are passed
    /// on 1 of 200 at most
    #[arg(long, value_name = "DIR")]
    nothing: Option<PathBuf>,
    /// Write the proposed thresholds into the file
    #[arg(long, requires = "nothing")]
    fit: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// What was found of one name.
#[derive(Default)]
struct Found {
    /// Of its examples, each left out.
    outcome: Option<Outcome>,
    /// Pictures of it, on how many it was found, and on how many it was the best.
    shown: u32,
    found: u32,
    best: u32,
    /// Pictures of nothing on which it was found.
    alarms: u32,
    proposed: Option<f32>,
}

/// Tests the file. Pictures that cannot be used are counted as failures.
///
/// # Errors
/// What makes the whole call fail: flags, model, vocabulary file.
pub(super) fn run(args: &TestArgs) -> anyhow::Result<Failures> {
    args.limits.apply();
    let decoder = Pictures::start();
    let mut inputs = args.model.inputs();
    inputs.add_pictures(&args.pictures);
    args.nothing.iter().for_each(|folder| inputs.add(folder));
    let file = VocabularyFile::new(&args.file, &inputs)?;
    let vocabulary = file.existing()?;
    let bundle = args.model.bundle()?;
    file.check_fits(&vocabulary, &bundle)?;
    let pipeline = Pipeline::new(networks(&bundle, false, args.model.threads())?, bundle.manifest.clone());
    let mut failures = Failures::default();
    let lowest = Thresholds::new(&vocabulary, &bundle.manifest.score, AskedScores::default(), |_| None);
    let mut found: Vec<Found> = (0..vocabulary.len()).map(|_| Found::default()).collect();
    for (found, outcome) in
        found.iter_mut().zip(leave_one_out(&vocabulary, pipeline.features(), &bundle.manifest.score))
    {
        found.outcome = outcome;
    }
    for picture in expand(&args.pictures) {
        let looked = picture.and_then(|path| {
            let label = label_of(&vocabulary, &path)?;
            Ok((label, Scores::of(&pipeline, &vocabulary, &decoder.open(&path)?)?))
        });
        match looked {
            Ok((label, scores)) => {
                let Some(found) = found.get_mut(label) else { continue };
                found.shown += 1;
                found.found += u32::from(scores.reaches(label, &lowest));
                found.best += u32::from(scores.best() == Some(label));
            }
            Err(error) => failures.add(error),
        }
    }
    let mut quiet = Vec::new();
    for picture in args.nothing.iter().flat_map(|folder| expand(std::slice::from_ref(folder))) {
        match picture.and_then(|path| Scores::of(&pipeline, &vocabulary, &decoder.open(&path)?)) {
            Ok(scores) => quiet.push(scores),
            Err(error) => failures.add(error),
        }
    }
    if args.nothing.is_some() && quiet.is_empty() {
        return Ok(failures);
    }
    for (label, found) in found.iter_mut().enumerate() {
        let reported = vocabulary.entries().get(label).is_some_and(|entry| entry.is_reported());
        found.alarms = quiet.iter().filter(|scores| scores.reaches(label, &lowest)).count() as u32;
        let scores: Vec<f32> = quiet.iter().map(|scores| scores.of_label(label)).collect();
        found.proposed = proposed(scores).filter(|_| reported);
    }
    let text = if args.json {
        as_json(&vocabulary, &found, quiet.len()).to_string()
    } else {
        as_text(&vocabulary, &found, quiet.len())
    };
    print_text(&text)?;
    if args.fit {
        fit(&file, &vocabulary, &found)?;
        print_text(&format!("{}: thresholds written", file.shown()))?;
    }
    Ok(failures)
}

/// Writes the proposed thresholds.
fn fit(file: &VocabularyFile, tested: &Vocabulary, found: &[Found]) -> Result<()> {
    file.update(
        || file.existing(),
        |vocabulary| {
            for (name, found) in tested.names().iter().zip(found) {
                if let Some(threshold) = found.proposed.filter(|_| vocabulary.position(name).is_some()) {
                    vocabulary.set_threshold(name, threshold)?;
                }
            }
            Ok(())
        },
    )
}

/// The name that a picture's folder is called after.
fn label_of(vocabulary: &Vocabulary, path: &Path) -> Result<usize> {
    let folder = path.canonicalize().ok();
    let folder = folder.as_deref().unwrap_or(path).parent().and_then(Path::file_name);
    let name = folder.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    vocabulary.position(&name).ok_or_else(|| {
        let names: Vec<&str> = vocabulary.names().iter().take(5).map(|name| &**name).collect();
        let expected = format!("a folder called after a name of the file: {}", names.join(", "));
        Error::input(path.display().to_string(), format!("the folder \"{name}\""), expected)
    })
}

fn as_json(vocabulary: &Vocabulary, found: &[Found], quiet: usize) -> serde_json::Value {
    let rounded = |value: f32| (f64::from(value) * 1e4).round() / 1e4;
    let label = |(label, found): (usize, &Found)| {
        let outcome = found.outcome.as_ref().map(|outcome| {
            json!({
                "examples": outcome.examples,
                "right": outcome.right,
                "right_by_examples": outcome.right_by_examples,
                "confused_with": outcome.confused.map(|other| vocabulary.name(other)),
            })
        });
        json!({
            "label": vocabulary.name(label),
            "left_out": outcome,
            "pictures": found.shown,
            "found": found.found,
            "best": found.best,
            "alarms": found.alarms,
            "proposed": found.proposed.map(rounded),
        })
    };
    let labels: Vec<_> = found.iter().enumerate().map(label).collect();
    json!({ "labels": labels, "nothing": quiet })
}

fn as_text(vocabulary: &Vocabulary, found: &[Found], quiet: usize) -> String {
    let mut lines = Vec::new();
    for (label, found) in found.iter().enumerate() {
        let mut parts = Vec::new();
        if let Some(outcome) = &found.outcome {
            let confused =
                outcome.confused.map(|other| format!(", else taken for {}", vocabulary.name(other)));
            let confused = confused.unwrap_or_default();
            let has_words = vocabulary.prompts_of(label).next().is_some();
            let alone = format!(" ({} by examples alone)", outcome.right_by_examples);
            let alone = if has_words { alone } else { String::new() };
            let (right, examples) = (outcome.right, outcome.examples);
            parts.push(format!("{right} of {examples} examples right when left out{alone}{confused}"));
        }
        if found.shown > 0 {
            parts.push(format!(
                "found on {} of {} pictures, best on {}",
                found.found, found.shown, found.best
            ));
        }
        if quiet > 0 {
            parts.push(format!("{} false alarms on {quiet} pictures of nothing", found.alarms));
            parts.extend(found.proposed.map(|threshold| format!("threshold {threshold:.3} proposed")));
        }
        if parts.is_empty() {
            parts.push("nothing to test: too few examples and no pictures".to_owned());
        }
        lines.push(format!("{}: {}", vocabulary.name(label), parts.join("; ")));
    }
    let outcomes = found.iter().filter_map(|found| found.outcome.as_ref());
    let (right, alone, all) = outcomes.fold((0, 0, 0), |(right, alone, all), outcome| {
        (right + outcome.right, alone + outcome.right_by_examples, all + outcome.examples)
    });
    if all > 0 {
        lines.push(format!("all: {right} of {all} examples right when left out, {alone} by examples alone"));
    }
    lines.join("\n")
}
