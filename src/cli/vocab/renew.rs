//! `edgeclip vocab renew`

use std::path::PathBuf;

use super::file::VocabularyFile;
use crate::cli::limits::LimitArgs;
use crate::cli::model::{ModelArgs, networks};
use crate::cli::{Failures, print_text};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::model::{Bundle, FeatureVector, SpaceId};
use crate::pipeline::Pipeline;
use crate::source::apart::Pictures;
use crate::vocabulary::{Embedder, Vocabulary};

/// Embed the words and kept crops of a vocabulary file again, for another model
#[derive(clap::Args)]
#[command(after_help = "\
Example:
  edgeclip vocab renew things.vocab.safetensors --model new-model/
    after examples were added with --keep-crops")]
pub(super) struct RenewArgs {
    /// Vocabulary file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Drop examples of which no crop was kept
    #[arg(long)]
    drop: bool,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    model: ModelArgs,
}

/// Embeds again.
///
/// # Errors
/// The file or the model cannot be used, or crops are missing.
pub(super) fn run(args: &RenewArgs) -> anyhow::Result<Failures> {
    args.limits.apply();
    let decoder = Pictures::start();
    let file = VocabularyFile::new(&args.file, &args.model.inputs())?;
    let bundle = args.model.bundle()?;
    let old = file.existing()?;
    let words = old.words().map(|(_, prompt)| prompt.to_owned()).collect::<Vec<String>>();
    let rows =
        if words.is_empty() { Vec::new() } else { Embedder::new(bundle.clone()).tower()?.embed(&words)? };
    let vectors = vectors(args, &file, &bundle, &old, &decoder)?;
    let space = SpaceId::of(&bundle.manifest);
    let bank = Vocabulary::bank(&bundle)?;
    let told = file.update(
        || file.existing(),
        |vocabulary| {
            if *vocabulary != old {
                let found = "a file that another command has just changed";
                return Err(Error::device(file.shown(), found, "no other change meanwhile; try again"));
            }
            vocabulary.renew_with(&rows, &vectors, space, &bank, bundle.manifest.score.max_similarity)
        },
    )?;
    let dropped = vectors.iter().filter(|vector| vector.is_none()).count();
    print_text(&format!(
        "{}: {} words and {told} examples renewed for model {}, {dropped} dropped",
        file.shown(),
        words.len(),
        bundle.manifest.name
    ))?;
    Ok(Failures::default())
}

/// The vector of each example's crop; `None` for one that is to be dropped.
fn vectors(
    args: &RenewArgs,
    file: &VocabularyFile,
    bundle: &Bundle,
    old: &Vocabulary,
    decoder: &Pictures,
) -> Result<Vec<Option<FeatureVector>>> {
    let Some(examples) = old.examples() else { return Ok(Vec::new()) };
    let pipeline = Pipeline::new(networks(bundle, false, args.model.threads())?, bundle.manifest.clone());
    let crops = file.crops();
    let mut vectors = Vec::new();
    for row in &examples.rows {
        let crop = crops.join(format!("{}.jpg", row.origin.id));
        if !crop.exists() {
            vectors.push(None);
            continue;
        }
        let picture = decoder.open(&crop)?;
        let encoded = pipeline.encode(&picture.frame()?)?;
        let whole = Rect { x0: 0.0, y0: 0.0, x1: picture.width as f32, y1: picture.height as f32 };
        vectors.push(match row.origin.rect {
            Some(_) => pipeline.box_features(&encoded, &[whole])?.into_iter().next().flatten(),
            None => pipeline.picture_features(&encoded)?,
        });
    }
    let missing = vectors.iter().filter(|vector| vector.is_none()).count();
    if missing > 0 && !args.drop {
        let found = format!("{missing} of {} examples without a crop in {}", vectors.len(), crops.display());
        let expected = "crops of all, by `edgeclip vocab add --keep-crops`; --drop leaves those examples out";
        return Err(Error::settings(file.shown(), found, expected));
    }
    Ok(vectors)
}
