//! `edgeclip detect`

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use super::annotations::Annotations;
use super::labels::Labels;
use super::limits::LimitArgs;
use super::masks::mask;
use super::model::ModelArgs;
use super::words::{WordArgs, prompt_file};
use super::{Failures, print};
use crate::config::Prompts;
use crate::detector::Detector;
use crate::error::{Error, Result};
use crate::pipeline::{Tiles, Words};
use crate::privacy::{Mask, Masks};
use crate::report::{Findings, Grid, PictureReport};
use crate::sinks::{Coco, Inputs, annotate, encode_picture, write_jsonl, write_roboflow, write_text};
use crate::source::apart::Pictures;
use crate::source::{Picture, expand};

/// Find things in pictures: boxes and tags, in your own words
///
/// Prints one line of JSON per picture (docs/output.md describes it), or text for people.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip detect photo.jpg --prompt \"person, dog, red bus\"
  edgeclip detect photos/ --prompt @things.txt --format text --annotate out/
  edgeclip detect photo.jpg --prompt \"guest = a person at the door\" --threshold 0.5 --annotate out.png
  edgeclip detect 'camera/*.jpg' --vocab street.vocab.safetensors --top 5
  edgeclip detect beach.jpg --prompt \"person, boat\" --tiles auto --annotate out.png
  edgeclip detect photos/ --prompt \"car, bus\" --format coco > found.json")]
pub(crate) struct Args {
    /// Picture files, folders of pictures, or glob patterns
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    words: WordArgs,
    /// Lowest score to report, 0 to 1, for all labels [default: the label's own, else the model's]
    #[arg(long, value_name = "SCORE", value_parser = probability)]
    threshold: Option<f32>,
    /// The same for tags of the whole picture, in place of --threshold
    #[arg(long, value_name = "SCORE", value_parser = probability)]
    tag_threshold: Option<f32>,
    /// Also look at overlapping tiles, for small things: `auto`, as many as the picture's size asks for and --tile-time
    /// allows, or columns x rows such as 3x2; each takes as long as a picture
    #[arg(long, value_name = "auto|CxR")]
    tiles: Option<TilesArg>,
    /// Longest time for a picture with --tiles auto, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, requires = "tiles", value_parser = seconds)]
    tile_time: f64,
    /// Report at most this many detections and this many tags per picture
    #[arg(long, value_name = "N")]
    top: Option<NonZeroUsize>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Folder for the files of --format yolo, which is made: `class cx cy w h confidence` in fractions, and
    /// classes.txt
    #[arg(long, value_name = "DIR", required_if_eq("format", "yolo"))]
    out: Option<PathBuf>,
    /// Draw the results: into a .png or .jpg file, or for several pictures into a folder
    #[arg(long, value_name = "FILE|DIR")]
    annotate: Option<PathBuf>,
    /// What to pixelate in drawn pictures: a comma list, or @FILE; words that are not among the prompts are looked
    /// for without being reported
    #[arg(long, value_name = "LIST|@FILE", requires = "annotate")]
    blur: Option<String>,
    /// Lowest score of what is pixelated, 0 to 1 [default: 0.1]
    #[arg(long, value_name = "SCORE", value_parser = probability, requires = "blur")]
    blur_threshold: Option<f32>,
    /// An area that is black before anything looks at it: [NAME=]x0,y0,x1,y1 in fractions of the picture, 0 to 1,
    /// or the corners x,y,x,y,x,y… of a polygon; may be repeated
    #[arg(long, value_name = "AREA")]
    mask: Vec<String>,
    /// Replace files that are there already, except for inputs
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object per line
    Jsonl,
    /// For people
    Text,
    /// One JSON document of all pictures, as pycocotools reads it
    Coco,
    /// One JSON object per line, as of Roboflow's inference server
    Roboflow,
    /// A file of labels for each picture, into --out
    Yolo,
}

/// The value of `--tiles`.
#[derive(Clone, Copy)]
enum TilesArg {
    Auto,
    Grid(Grid),
}

impl FromStr for TilesArg {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Grid) }
    }
}

/// A time above 0, up to an hour.
fn seconds(text: &str) -> std::result::Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 3600.0);
    seconds.ok_or_else(|| "expected seconds above 0, up to 3600".to_owned())
}

/// A number from 0 to 1.
pub(crate) fn probability(text: &str) -> std::result::Result<f32, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// Detects in every picture that can be read; the others are counted as failures.
///
/// # Errors
/// What makes the whole call fail: flags, vocabulary, model, standard output.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    args.limits.apply();
    let decoder = Pictures::start();
    let words = args.words.words("detect")?;
    let mut masks = masks(args)?;
    let pictures = expand(&args.paths);
    let inputs = inputs(args);
    inputs.refuse_stdout()?;
    let annotations = args.annotate.as_deref();
    let annotations =
        annotations.map(|target| Annotations::new(target, &pictures, args.force, &inputs)).transpose()?;
    let mut labels = match (&args.out, args.format) {
        (Some(folder), Format::Yolo) => Some(Labels::new(folder, args.force, &inputs)?),
        (Some(_), _) => return Err(Error::settings("--out", "another format", "--format yolo").into()),
        (None, _) => None,
    };
    let detector = detector(args, words)?;
    let mut coco = Coco::default();

    let mut failures = Failures::default();
    for (index, path) in pictures.into_iter().enumerate() {
        let found = path.and_then(|path| look(&path, args, &decoder, &detector, &mut masks));
        let (mut picture, findings) = match found {
            Ok(found) => found,
            Err(error) => {
                failures.add(error);
                continue;
            }
        };
        detector.blur(&mut picture, &findings);
        let report = PictureReport {
            path: &picture.name,
            width: picture.width,
            height: picture.height,
            names: detector.labels(),
            findings: &findings,
        };
        if let Some(labels) = &mut labels
            && let Err(error) = labels.add(&report)
        {
            failures.add(error);
        }
        let reader_gone = print(|out| match args.format {
            Format::Jsonl => write_jsonl(out, &report),
            Format::Roboflow => write_roboflow(out, &report),
            Format::Coco => {
                coco.add(&report);
                Ok(())
            }
            Format::Yolo => Ok(()),
            Format::Text => {
                let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                write_text(out, &report, colour)
            }
        })?;
        if let Some((target, kind)) = annotations.as_ref().and_then(|annotations| annotations.of(index)) {
            annotate(&mut picture.data, &report);
            let file = encode_picture(target.name(), kind, &picture.data, picture.width, picture.height);
            if let Err(error) = file.and_then(|file| target.write(&file)) {
                failures.add(error);
            }
        }
        if reader_gone {
            break;
        }
    }
    if args.format == Format::Coco {
        print(|out| coco.write(out, detector.labels()))?;
    }
    if let Some(labels) = &labels {
        labels.finish(detector.labels())?;
    }
    Ok(failures)
}

/// All that the call reads.
fn inputs(args: &Args) -> Inputs {
    let mut inputs = args.model.inputs();
    inputs.add_pictures(&args.paths);
    args.words.add_to(&mut inputs);
    args.blur.as_deref().and_then(prompt_file).iter().for_each(|file| inputs.add_file(file));
    inputs
}

fn detector(args: &Args, words: Words) -> Result<Detector> {
    let mut builder = Detector::builder().words(words).blur_words(args.blur.clone().map(Prompts::List));
    if let Some(threshold) = args.blur_threshold {
        builder = builder.blur_threshold(threshold);
    }
    if let Some(folder) = &args.model.model {
        builder = builder.model(folder);
    }
    if let Some(threads) = args.model.threads {
        builder = builder.threads(threads);
    }
    if let Some(threshold) = args.threshold {
        builder = builder.threshold(threshold);
    }
    builder = builder.tiles(match args.tiles {
        None => Tiles::Off,
        Some(TilesArg::Auto) => Tiles::Auto { within: Duration::from_secs_f64(args.tile_time) },
        Some(TilesArg::Grid(grid)) => Tiles::Grid(grid),
    });
    if let Some(threshold) = args.tag_threshold {
        builder = builder.tag_threshold(threshold);
    }
    let flag = |error: Error| if error.name() == "blur" { error.renamed("--blur") } else { error };
    let mut detector = builder.build().map_err(flag)?;
    detector.release_text_tower();
    Ok(detector)
}

/// The areas of `--mask`.
fn masks(args: &Args) -> Result<Masks> {
    let masks: Vec<Mask> = args.mask.iter().map(|text| mask(text)).collect::<Result<_>>()?;
    masks.iter().enumerate().try_for_each(|(index, mask)| mask.check(index))?;
    Ok(Masks::new(&masks))
}

fn look(
    path: &Path,
    args: &Args,
    decoder: &Pictures,
    detector: &Detector,
    masks: &mut Masks,
) -> Result<(Picture, Findings)> {
    let start = Instant::now();
    let mut picture = decoder.open(path)?;
    masks.blacken(&mut picture.frame_mut()?);
    let decode = start.elapsed();
    let mut findings = detector.detect(&picture)?;
    findings.timing.decode = decode;
    if let Some(top) = args.top {
        findings.tags.truncate(top.get());
        findings.detections.truncate(top.get());
    }
    Ok((picture, findings))
}
