//! `edgeclip search`

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::boxes::corners;
use super::limits::LimitArgs;
use super::model::{ModelArgs, networks};
use super::words::prompts_of;
use super::{Failures, complain, print_text, shown};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::model::{Bundle, FeatureVector};
use crate::pipeline::{Pipeline, clipped};
use crate::report::{VectorSpace, rounded};
use crate::sinks::{
    Forgotten, Found, Query, RecallQuery, Recalled, Searched, Seen, Sought, forget, recall, search, span, utc,
};
use crate::source::apart::Pictures;
use crate::vocabulary::Embedder;

/// Search what was seen, by a sentence or by a picture
///
/// Searches the folder of `edgeclip run --history`: everything that was tracked, whatever it was called then.
/// Times are in UTC.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip search \"a red car at the gate\" --history history/
  edgeclip search \"postman\" --history history/ --since yesterday --source gate --count 3
  edgeclip search --picture my-bag.jpg --box 40,60,300,280 --history history/ --format jsonl
  edgeclip search --forget 2026-11-22 --history history/")]
pub(crate) struct Args {
    /// What to search for, in your own words
    #[arg(value_name = "TEXT", required_unless_present_any = ["picture", "forget"], conflicts_with_all = ["picture", "forget"])]
    text: Option<String>,
    /// Search for what looks like this picture
    #[arg(long, value_name = "FILE", conflicts_with = "forget")]
    picture: Option<PathBuf>,
    /// What in the picture, in its pixels [default: the whole]
    #[arg(long = "box", value_name = "X0,Y0,X1,Y1", value_parser = corners, requires = "picture")]
    rect: Option<Rect>,
    /// Forget for ever: all, a day such as 2026-11-22, or an event by its id
    #[arg(long, value_name = "all|DAY|ID")]
    forget: Option<String>,
    /// Folder of `edgeclip run --history`
    #[arg(long, value_name = "DIR")]
    history: PathBuf,
    /// From when on: today, yesterday, 2026-11-22, 2026-11-22T06:00, or how long ago: 90m, 12h, 7d
    #[arg(long, value_name = "TIME", conflicts_with = "forget")]
    since: Option<String>,
    /// Until when, likewise; a day counts as a whole
    #[arg(long, value_name = "TIME", conflicts_with = "forget")]
    until: Option<String>,
    /// Only what this source showed; may be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "forget")]
    source: Vec<String>,
    /// Only what was called this; may be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "forget")]
    label: Vec<String>,
    /// Most that are printed
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000), conflicts_with = "forget")]
    count: u16,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One JSON object per line
    Jsonl,
    /// For people
    Text,
}

/// A line of `--format jsonl`.
#[derive(Serialize)]
struct Line<'a> {
    /// Probability that it is what was searched for; `null` for a picture.
    score: Option<f64>,
    /// Cosine with it.
    cosine: f64,
    #[serde(flatten)]
    seen: &'a Seen,
}

/// Prints what was seen that is most like a sentence or a picture, or forgets it.
///
/// # Errors
/// Flags, model, or the folder cannot be used.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    args.limits.apply();
    if let Some(what) = &args.forget {
        let entries = forget(&args.history, &Forgotten::parse(what)?)?;
        if entries == 0 {
            return Err(Error::settings("--forget", what.as_str(), "something that is in the folder").into());
        }
        print_text(&format!("{}: {entries} entries forgotten", shown(&args.history)))?;
        return Ok(Failures::default());
    }
    let names = ["--since", "--until"];
    let times = span(names, args.since.as_deref(), args.until.as_deref(), SystemTime::now())?;
    let bundle = args.model.bundle()?;
    let space = VectorSpace::of(&bundle.manifest);
    let found = match (&args.text, &args.picture) {
        (Some(text), _) => by_words(args, text, bundle, times)?,
        (None, Some(picture)) => by_picture(args, picture, &bundle, &space, times)?,
        (None, None) => return Err(Error::settings("search", "nothing to search for", "a sentence").into()),
    };
    show(&found, args.format)?;
    Ok(Failures::default())
}

fn by_words(args: &Args, text: &str, bundle: Bundle, times: Range<u64>) -> Result<Vec<(Option<f32>, Found)>> {
    prompts_of(text).map_err(|error| error.renamed("search"))?;
    let query =
        RecallQuery { times, sources: &args.source, labels: &args.label, count: usize::from(args.count) };
    let Recalled { found, other_networks, .. } =
        recall(&args.history, text, &mut Embedder::new(bundle), &query)?;
    warn_of(&other_networks);
    Ok(found)
}

fn by_picture(
    args: &Args,
    picture: &Path,
    bundle: &Bundle,
    space: &VectorSpace,
    times: Range<u64>,
) -> Result<Vec<(Option<f32>, Found)>> {
    let picture = Pictures::start().open(picture)?;
    let (width, height) = (picture.width, picture.height);
    let whole = Rect { x0: 0.0, y0: 0.0, x1: width as f32, y1: height as f32 };
    let rect = args.rect.map_or(Ok(whole), |rect| clipped("--box", rect, width, height))?;
    let pipeline = Pipeline::new(networks(bundle, false, args.model.threads())?, bundle.manifest.clone());
    let encoded = pipeline.encode(&picture.frame()?)?;
    let vector = pipeline.box_features(&encoded, &[rect])?.into_iter().next().flatten();
    let sought = match vector {
        Some(vector) => Sought::Example(vector),
        // A model that knows words alone.
        None => {
            let embedding = pipeline.embed_boxes(&encoded, &[rect])?;
            let vector = embedding.first().and_then(|embedding| FeatureVector::quantised(embedding));
            Sought::Words(
                vector.ok_or_else(|| Error::input(&picture.name, "nothing", "a picture of something"))?,
            )
        }
    };
    let found = searched(args, space, sought, times, usize::from(args.count))?.found;
    Ok(found.into_iter().map(|found| (None, found)).collect())
}

/// Searches the folder.
fn searched(
    args: &Args,
    space: &VectorSpace,
    vector: Sought,
    times: Range<u64>,
    most: usize,
) -> Result<Searched> {
    let query =
        Query { space, vector, times, sources: args.source.clone(), labels: args.label.clone(), most };
    let searched = search(&args.history, &query)?;
    warn_of(&searched.other_networks);
    Ok(searched)
}

/// Says which days could not be compared.
fn warn_of(other_networks: &[String]) {
    if let Some(first) = other_networks.first() {
        let days = other_networks.len();
        complain(&format!(
            "warning: {days} days from {first} on were seen by another model and cannot be compared; \
             --model names the folder of that model"
        ));
    }
}

fn show(found: &[(Option<f32>, Found)], format: Format) -> anyhow::Result<()> {
    if found.is_empty() {
        complain(&"nothing was seen then");
    }
    for (score, found) in found {
        let Found { cosine, seen, .. } = found;
        let line = match format {
            Format::Jsonl => serde_json::to_string(&Line {
                score: score.map(|score| rounded(score, 4)),
                cosine: rounded(*cosine, 4),
                seen,
            })?,
            Format::Text => {
                let time =
                    utc(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seen.time.clamp(0.0, 2.5e11)));
                let time = time.split('.').next().unwrap_or_default().replace('T', " ");
                let [x0, y0, x1, y1] = seen.r#box.map(f64::round);
                let number = score.unwrap_or(*cosine);
                format!(
                    "{number:.2}  {time}  {}: {} {:.2} at {x0},{y0},{x1},{y1}  {}",
                    seen.source, seen.label, seen.label_score, seen.id
                )
            }
        };
        if print_text(&line)? {
            break;
        }
    }
    Ok(())
}
