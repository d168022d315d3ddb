//! `edgeclip export`

mod coco;
mod label_studio;
mod snapshots;
mod voc;
mod yolo;

use std::path::PathBuf;

use clap::ValueEnum;

use self::snapshots::Snapshots;
use super::failures::complain;
use super::room::Room;
use super::{Failures, print_text, shown};
use crate::error::Result;
use crate::sinks::{Inputs, PRIVATE, Target};

/// Make a data set of snapshots, for labelling and training
///
/// Boxes are those of the tracks that were seen. With --vocab, what `edgeclip vocab add --event` has corrected
/// there is corrected here.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip export events/ --format coco --out annotations.json
  edgeclip export events/ --format yolo --out data/ --vocab things.vocab.safetensors
  edgeclip export events/ --format label-studio --out tasks.json")]
pub(crate) struct Args {
    /// Folder of `edgeclip run --snapshot`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Whose data set
    #[arg(long, value_enum)]
    format: Format,
    /// File to write (coco, label-studio), or a folder, which is made (yolo, voc)
    #[arg(long, value_name = "FILE|DIR")]
    out: PathBuf,
    /// Vocabulary file that was corrected by these snapshots
    #[arg(long, value_name = "FILE")]
    vocab: Option<PathBuf>,
    /// Replace files that are there already, except for inputs
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON file; pictures stay where they are
    Coco,
    /// data.yaml, images/train/ and labels/train/, as Ultralytics reads them
    Yolo,
    /// Annotations/ and JPEGImages/
    Voc,
    /// Tasks with predictions, one JSON file; pictures stay where they are
    LabelStudio,
}

/// Writes the data set. Snapshots that cannot be used are counted as failures.
///
/// # Errors
/// The folder cannot be read, or the data set not be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    let mut inputs = Inputs::default();
    inputs.add(&args.folder);
    inputs.add_files_of(&args.folder);
    args.vocab.iter().for_each(|file| inputs.add_file(file));
    let mut failures = Failures::default();
    let snapshots = Snapshots::read(&args.folder, args.vocab.as_deref(), &mut failures)?;
    match args.format {
        Format::Coco => write_file(args, &inputs, coco::json(&snapshots)?)?,
        Format::LabelStudio => write_file(args, &inputs, label_studio::json(&snapshots)?)?,
        Format::Yolo => yolo::write(&Room::new(&args.out, args.force, &inputs)?, &snapshots)?,
        Format::Voc => voc::write(&Room::new(&args.out, args.force, &inputs)?, &snapshots)?,
    }
    let drawn = snapshots.list.iter().filter(|snapshot| snapshot.is_drawn_on).count();
    if drawn > 0 {
        complain(&format!(
            "warning: {drawn} pictures have boxes drawn on them; `edgeclip run --snapshot-plain` keeps bare ones"
        ));
    }
    let boxes: usize = snapshots.list.iter().map(|snapshot| snapshot.boxes.len()).sum();
    let (pictures, names) = (snapshots.list.len(), snapshots.names.len());
    print_text(&format!("{}: {pictures} pictures, {boxes} boxes, {names} names", shown(&args.out)))?;
    Ok(failures)
}

fn write_file(args: &Args, inputs: &Inputs, bytes: Vec<u8>) -> Result<()> {
    Target::new(&args.out, "--out", PRIVATE, args.force, inputs)?.write(&bytes)
}
