//! `edgeclip privacy-report`

mod report;
mod text;

use std::io::Write;
use std::path::PathBuf;

use self::report::Report;
use super::run::assign;
use super::{Failures, print, print_text};
use crate::config::{read, resolve};
use crate::error::Result;

/// Say what a configuration of `edgeclip run` can do with pictures, and what it cannot
///
/// To whom it connects, what it writes and for how long that is kept, whether pictures can leave, and what this
/// kernel enforces. Nothing is opened. docs/privacy.md explains the seal and the JSON.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip privacy-report --config edgeclip.toml
  edgeclip privacy-report --config edgeclip.toml --set seal=true --json")]
pub(crate) struct Args {
    /// File of settings, as for `edgeclip run`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Any setting, for example snapshot=events; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
///
/// # Errors
/// The configuration cannot be used.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    let report = args.report()?;
    if args.json {
        print(|out| {
            serde_json::to_writer(&mut *out, &report)?;
            writeln!(out)
        })?;
    } else {
        let mut text = Vec::new();
        text::write(&mut text, &report)?;
        print_text(String::from_utf8_lossy(&text).trim_end())?;
    }
    Ok(Failures::default())
}

impl Args {
    fn report(&self) -> Result<Report> {
        let mut table = self.config.as_deref().map_or_else(|| Ok(toml::Table::new()), read)?;
        self.set.iter().try_for_each(|assignment| assign(&mut table, assignment))?;
        let settings = resolve(table)?;
        Ok(Report::new(&settings, self.config.as_deref()))
    }
}
