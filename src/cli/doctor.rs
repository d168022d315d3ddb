//! `edgeclip doctor`

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::checks;
use super::model::ModelArgs;
use super::{Failures, print};
use crate::error::{Error, Result};

/// Check whether this machine can do the job, and say what to do if not
///
/// Processor and kernels, memory, temperature, model and its hashes, cameras and the right to use them. The exit code is 2 if
/// anything stands in the way. docs/output.md describes the JSON.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip doctor
  edgeclip doctor --source /dev/video0 --json")]
pub struct Args {
    /// The camera that shall work; without it, no camera is no fault, since pictures and pipes need none
    #[arg(long, value_name = "DEVICE")]
    source: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    model: ModelArgs,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// The job can be done, but not well.
    Warning,
    /// The job cannot be done.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it went.
    pub state: State,
    /// What was found, in words.
    pub found: String,
    /// What to do; `None` if all is well.
    pub advice: Option<String>,
    /// What was found, for programs.
    pub details: Value,
}

impl Check {
    /// All is well.
    pub fn ok(name: &'static str, found: impl Into<String>, details: Value) -> Self {
        Self { name, state: State::Ok, found: found.into(), advice: None, details }
    }

    /// The same with a fault and what to do about it.
    pub fn but(self, state: State, advice: impl Into<String>) -> Self {
        Self { state, advice: Some(advice.into()), ..self }
    }

    /// A check that ended with an error, whose line says what to do.
    pub fn failed(name: &'static str, error: &Error) -> Self {
        let (found, advice) = match error {
            Error::Input { name, found, expected } | Error::Model { file: name, found, expected } => {
                (format!("{name}: {found}"), Some(format!("expected {expected}")))
            }
            other => (other.to_string(), None),
        };
        Self { name, state: State::Error, found, advice, details: Value::Null }
    }
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
/// [`Error::Input`] if a check found an error, after all of them are printed.
pub fn run(args: &Args) -> Result<Failures> {
    let root = Path::new("/");
    let checks = [
        vec![
            checks::processor(root),
            checks::memory(root),
            checks::temperature(root),
            checks::model(&args.model),
        ],
        checks::cameras(args.source.as_deref()),
    ]
    .concat();
    let errors = checks.iter().filter(|check| check.state == State::Error).count();
    print(|out| {
        if args.json {
            let report = Report { version: env!("CARGO_PKG_VERSION"), ok: errors == 0, checks: &checks };
            serde_json::to_writer(&mut *out, &report)?;
            return writeln!(out);
        }
        checks.iter().try_for_each(|check| write_text(out, check))
    })?;
    match errors {
        0 => Ok(Failures::default()),
        1 => Err(Error::input("doctor", "1 error", "none; its advice stands above")),
        more => Err(Error::input("doctor", format!("{more} errors"), "none; their advice stands above")),
    }
}

fn write_text(out: &mut impl Write, check: &Check) -> std::io::Result<()> {
    let state = match check.state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Error => "error",
    };
    writeln!(out, "{state:8} {:12} {}", check.name, check.found)?;
    check.advice.iter().try_for_each(|advice| writeln!(out, "{:22}-> {advice}", ""))
}
