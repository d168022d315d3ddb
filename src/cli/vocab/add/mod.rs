//! `edgeclip vocab add`

mod asked;
mod crops;
mod take;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::crops::Crops;
use self::take::{Taken, Taker};
use super::super::boxes::corners;
use super::event;
use super::file::VocabularyFile;
use super::import::{self, Import};
use super::show::contradiction;
use super::shown::Asked;
use crate::cli::annotations::Annotations;
use crate::cli::detect::probability;
use crate::cli::limits::LimitArgs;
use crate::cli::model::{ModelArgs, networks};
use crate::cli::words::prompts_of;
use crate::cli::{Failures, print_text};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::model::{Bundle, SpaceId};
use crate::pipeline::Pipeline;
use crate::report::{Detection, Findings, PictureReport};
use crate::sinks::{annotate, encode_picture};
use crate::source::apart::Pictures;
use crate::vocabulary::{Added, Embedder, Kind, MOST_EXAMPLES, MOST_OF_ENTRY, Vocabulary};

/// Show what a name means: by pictures, words, data sets, or what happened
///
/// Only vectors of the pictures are kept, not the pictures. A file that is not there is made. docs/teach.md tells
/// how many examples help, and what cannot be taught.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip vocab add things.vocab.safetensors --name \"our van\" van1.jpg van2.jpg --words van --annotate taken/
  edgeclip vocab add things.vocab.safetensors --name \"our van\" yard.jpg --box 10,20,300,200
  edgeclip vocab add things.vocab.safetensors --name \"gate open\" --kind state open.jpg --box 100,80,340,400
  edgeclip vocab add things.vocab.safetensors --name statue statue.jpg --hidden
  edgeclip vocab add things.vocab.safetensors --folder crops/
  edgeclip vocab add things.vocab.safetensors --coco annotations.json --images photos/
  edgeclip vocab add things.vocab.safetensors --event events/2026-11-30T06-00-00.123Z_appear_van_7.json --wrong")]
pub(super) struct AddArgs {
    /// Vocabulary file, by custom NAME.vocab.safetensors
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Pictures that show it: files, folders, or glob patterns
    #[arg(value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
    /// What is printed when it is found
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where it is, in pixels; once for all pictures, or once for each [default: the most object-like box]
    #[arg(long = "box", value_name = "X0,Y0,X1,Y1", value_parser = corners)]
    boxes: Vec<Rect>,
    /// It fills the picture
    #[arg(long, conflicts_with = "boxes")]
    whole: bool,
    /// Words for it as well: a comma list of prompts that mean the same
    #[arg(long, value_name = "LIST", requires = "name")]
    words: Option<String>,
    /// Where it is looked for [default: thing for a new name]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// The pictures show what it must not be taken for
    #[arg(long)]
    not: bool,
    /// It competes with the other names, and is never printed
    #[arg(long)]
    hidden: bool,
    /// Lowest score to report for it, 0 to 1
    #[arg(long, value_name = "SCORE", value_parser = probability, requires = "name")]
    threshold: Option<f32>,
    #[command(flatten)]
    import: Import,
    #[command(flatten)]
    events: event::EventArgs,
    /// Keep small pictures of the examples beside the file, for `vocab renew` with another model
    #[arg(long)]
    keep_crops: bool,
    /// Draw what was taken: into a .png or .jpg file, or for several pictures into a folder
    #[arg(long, value_name = "FILE|DIR")]
    annotate: Option<PathBuf>,
    /// Replace files of --annotate that are there already, except for inputs
    #[arg(long, requires = "annotate")]
    force: bool,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// Teaches the file. Pictures that cannot be used are counted as failures, and the others are taken.
///
/// # Errors
/// What makes the whole call fail: flags, model, vocabulary file, annotations of a data set.
pub(super) fn run(args: &AddArgs) -> anyhow::Result<Failures> {
    args.limits.apply();
    let decoder = Pictures::start();
    let mut inputs = args.model.inputs();
    inputs.add_pictures(&args.pictures);
    args.import.add_to(&mut inputs);
    args.events.add_to(&mut inputs);
    let file = VocabularyFile::new(&args.file, &inputs)?;
    if args.events.are_given() {
        return event::add(&file, &args.events, args.name.as_deref(), &args.model.bundle()?);
    }
    let asked = asked(args)?;
    not_too_many(&asked)?;
    let path = |asked: &Asked| match asked {
        Ok(shown) => Ok(shown.path.clone()),
        Err(error) => Err(Error::input(error.name(), "nothing", "a picture")),
    };
    let paths: Vec<Result<PathBuf>> = asked.iter().map(path).collect();
    let annotations = args.annotate.as_deref();
    let annotations = annotations.map(|to| Annotations::new(to, &paths, args.force, &inputs)).transpose()?;
    let bundle = args.model.bundle()?;
    let before = file.read()?;
    if let Some(vocabulary) = &before {
        file.check_fits(vocabulary, &bundle)?;
    }
    let words = words(args, &bundle)?;
    let mut failures = Failures::default();
    let taken = if asked.is_empty() {
        Vec::new()
    } else {
        let taker = taker(args, &bundle, decoder)?;
        let mut taken = Vec::new();
        for (index, asked) in asked.into_iter().enumerate() {
            match asked.and_then(|shown| taker.take(&shown)) {
                Ok(picture) => {
                    let target = annotations.as_ref().and_then(|annotations| annotations.of(index));
                    let drawn = target.map_or(Ok(()), |(target, kind)| {
                        let (mut data, width, height) =
                            (picture.picture.data.clone(), picture.picture.width, picture.picture.height);
                        draw(&mut data, &picture);
                        target.write(&encode_picture(target.name(), kind, &data, width, height)?)
                    });
                    drawn.unwrap_or_else(|error| failures.add(error));
                    taken.extend(picture.things);
                }
                Err(error) => failures.add(error),
            }
        }
        if taken.is_empty() {
            return Ok(failures);
        }
        taken
    };
    let crops = args.keep_crops.then(|| Crops::write(&file, &taken)).transpose()?;
    let report = file.update(
        || Ok(Vocabulary::empty(&Vocabulary::bank(&bundle)?)),
        |vocabulary| apply(args, vocabulary, &file, &bundle, &words, &taken),
    );
    if report.is_err() {
        crops.into_iter().for_each(Crops::remove);
    }
    let report = report?;
    print_text(&report.join("\n"))?;
    Ok(failures)
}

/// The pictures, each with what it shows.
fn asked(args: &AddArgs) -> anyhow::Result<Vec<Asked>> {
    if let Some(asked) = import::read(&args.import)? {
        if args.name.is_some() || !args.pictures.is_empty() || args.not {
            let found = "a data set with --name, --not or pictures";
            anyhow::bail!(Error::settings("vocab add", found, "the data set alone: it names what it shows"));
        }
        return Ok(asked);
    }
    let Some(name) = &args.name else {
        let expected = "--name NAME and pictures, or one of --folder, --coco, --yolo, --voc, --label-studio, \
                        --cvat, --event";
        anyhow::bail!(Error::settings("vocab add", "nothing to learn", expected));
    };
    if args.pictures.is_empty() && args.words.is_none() && !changes_use(args) {
        let expected = "pictures of it or --words LIST";
        anyhow::bail!(Error::settings("vocab add", format!("nothing that shows \"{name}\""), expected));
    }
    Ok(asked::pictures(name, &args.pictures, &args.boxes, args.whole, args.kind)?)
}

/// More than a file takes is refused before anybody waits for it.
fn not_too_many(asked: &[Asked]) -> Result<()> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let things = asked.iter().flatten().flat_map(|shown| &shown.things);
    things.for_each(|thing| *counts.entry(&thing.name).or_default() += 1);
    let expected = || format!("at most {MOST_OF_ENTRY} of a name and {MOST_EXAMPLES} in a file");
    let all: usize = counts.values().sum();
    if let Some((name, count)) = counts.iter().find(|(_, count)| **count > MOST_OF_ENTRY) {
        return Err(Error::settings(*name, format!("{count} examples"), expected()));
    }
    if all > MOST_EXAMPLES {
        return Err(Error::settings("vocab add", format!("{all} examples"), expected()));
    }
    Ok(())
}

fn changes_use(args: &AddArgs) -> bool {
    args.kind.is_some() || args.hidden || args.threshold.is_some()
}

/// The words of the call with their embeddings.
fn words(args: &AddArgs, bundle: &Bundle) -> Result<Vec<(String, Vec<f32>)>> {
    let Some(list) = &args.words else { return Ok(Vec::new()) };
    let texts = prompts_of(list).map_err(|error| error.renamed("--words"))?;
    let texts: Vec<String> = texts.into_iter().map(|prompt| prompt.text).collect();
    let rows = Embedder::new(bundle.clone()).tower()?.embed(&texts)?;
    Ok(texts.into_iter().zip(rows).collect())
}

fn taker(args: &AddArgs, bundle: &Bundle, decoder: Pictures) -> Result<Taker> {
    let networks = networks(bundle, false, args.model.threads())?;
    Taker::new(Pipeline::new(networks, bundle.manifest.clone()), decoder)
}

/// Puts what was taken into the vocabulary; lines that say what changed.
fn apply(
    args: &AddArgs,
    vocabulary: &mut Vocabulary,
    file: &VocabularyFile,
    bundle: &Bundle,
    words: &[(String, Vec<f32>)],
    taken: &[Taken],
) -> Result<Vec<String>> {
    file.check_fits(vocabulary, bundle)?;
    let mut lines: Vec<String> = taken.iter().filter_map(Taken::told).collect();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let hidden = args.hidden.then_some(true);
    if let Some(name) = &args.name {
        let label = vocabulary.ensure(name)?;
        vocabulary.set_use(label, args.kind, hidden);
        if !words.is_empty() {
            vocabulary.add_words(
                label,
                words,
                &Vocabulary::bank(bundle)?,
                bundle.manifest.score.max_similarity,
            )?;
        }
        if let Some(threshold) = args.threshold {
            vocabulary.set_threshold(name, threshold)?;
        }
        counts.insert(name, (0, 0));
    }
    let space = SpaceId::of(&bundle.manifest);
    for example in taken {
        let space: &SpaceId = space.as_ref().ok_or_else(|| Error::bug("examples without a space"))?;
        let label = vocabulary.ensure(&example.name)?;
        vocabulary.set_use(label, args.kind, hidden);
        let (vector, origin) = (example.vector.clone(), example.origin.clone());
        let (new, known) = counts.entry(&example.name).or_default();
        match vocabulary.add_example(label, args.not, vector, space, origin)? {
            Added::New => {
                *new += 1;
                lines.extend(contradiction(vocabulary, label, args.not, &example.vector));
            }
            Added::Known => {
                *known += 1;
                lines.push(format!(
                    "{}: known already as an example of {}",
                    example.origin.file, example.name
                ));
            }
        }
    }
    let names: Vec<String> = counts.keys().map(|name| (*name).to_owned()).collect();
    if let Some(bare) =
        names.iter().find(|name| vocabulary.position(name).is_none_or(|label| vocabulary.is_bare(label)))
    {
        return Err(Error::settings(
            "vocab add",
            format!("nothing that shows \"{bare}\""),
            "pictures or --words",
        ));
    }
    let what = if args.not { "counter-example" } else { "example" };
    lines.extend(counts.iter().map(|(name, (new, _))| {
        let has =
            vocabulary.position(name).map_or(String::new(), |label| super::show::holds(vocabulary, label));
        format!("{name}: {new} new {what}{}; now {has}", if *new == 1 { "" } else { "s" })
    }));
    Ok(lines)
}

/// Draws the boxes of what was taken.
fn draw(data: &mut [u8], picture: &take::Picture) {
    let whole =
        Rect { x0: 0.0, y0: 0.0, x1: picture.picture.width as f32, y1: picture.picture.height as f32 };
    let boxes =
        picture.things.iter().map(|thing| Detection::new(&*thing.name, 1.0, thing.rect.unwrap_or(whole)));
    let findings = Findings { detections: boxes.collect(), ..Findings::default() };
    let names: Vec<std::sync::Arc<str>> =
        picture.things.iter().map(|thing| thing.name.as_str().into()).collect();
    let (width, height) = (picture.picture.width, picture.picture.height);
    let report =
        PictureReport { path: &picture.picture.name, width, height, names: &names, findings: &findings };
    annotate(data, &report);
}
