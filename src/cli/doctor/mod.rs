//! `edgeclip doctor`

mod camera;
mod check;
mod machine;
mod model;
mod network;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::check::{Check, State};
use super::model::ModelArgs;
use super::{Failures, print};
use crate::error::Error;

/// Check whether this machine can do the job, and say what to do if not
///
/// Processor and kernels, memory, temperature, model and its hashes, cameras and the permission to use them.
/// The exit code is 2 if anything stands in the way. docs/output.md describes the JSON.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip doctor
  edgeclip doctor --source /dev/video0 --json
  edgeclip doctor --source rtsp://user:password@192.168.1.20/stream2")]
pub(crate) struct Args {
    /// The camera that must work, /dev/video0, rtsp://… or http://…; without this flag, having no camera is
    /// not an error, since pictures and pipes need none
    #[arg(long, value_name = "SOURCE")]
    source: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Serialize)]
struct Report<'a> {
    version: &'a str,
    ok: bool,
    checks: &'a [Check],
}

/// Runs the subcommand.
///
/// # Errors
/// [`Error::Device`] if a check found an error, after all of them are printed.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    let root = Path::new("/");
    let checks = [
        vec![
            machine::processor(root),
            machine::memory(root),
            machine::temperature(root),
            model::check(&args.model),
        ],
        camera::checks(args.source.as_deref()),
    ]
    .concat();
    let errors = checks.iter().filter(|check| check.state == State::Error).count();
    print(|out| {
        if args.json {
            let report = Report { version: env!("CARGO_PKG_VERSION"), ok: errors == 0, checks: &checks };
            serde_json::to_writer(&mut *out, &report)?;
            return writeln!(out);
        }
        checks.iter().try_for_each(|check| check.write_text(out))
    })?;
    match errors {
        0 => Ok(Failures::default()),
        1 => Err(Error::device("doctor", "1 error", "none; see its advice above").into()),
        more => {
            let found = format!("{more} errors");
            Err(Error::device("doctor", found, "none; see their advice above").into())
        }
    }
}
