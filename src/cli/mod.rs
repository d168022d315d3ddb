//! The program: flags into validated values, one file per subcommand.

mod annotations;
mod bench;
mod boxes;
mod detect;
mod doctor;
mod embed;
pub(crate) mod eval;
mod failures;
mod model;
mod panics;
mod run;
mod vocab;
mod words;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use self::failures::{Failures, complain};
use crate::system::set_trim_threshold;

/// More than a frame of 1920×1080 takes, in bytes: memory that each frame needs stays with the process.
const LARGE: i32 = 8 << 20;

/// Finds what you name, in your own words, in pictures.
#[derive(Parser)]
#[command(name = "edgeclip", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Detect(detect::Args),
    Run(Box<run::Args>),
    Doctor(doctor::Args),
    Vocab(vocab::Args),
    Embed(embed::Args),
    Eval(eval::Args),
    Bench(bench::Args),
}

/// Runs the program on its command line. The exit code is 0 if all went well, 2 if some input could not be
/// used, 70 for a bug.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    set_trim_threshold(LARGE);
    panics::install();
    let outcome = match cli.command {
        Command::Detect(args) => detect::run(&args),
        Command::Run(args) => run::run(*args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Vocab(args) => vocab::run(&args),
        Command::Embed(args) => embed::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    let failures = outcome.unwrap_or_else(|error| {
        let mut failures = Failures::default();
        failures.add(error);
        failures
    });
    ExitCode::from(failures.exit_code())
}

/// Prints help as it is, and a wrong command line as one line like every other error.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        // A closed pipe is not an error.
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
    }
    let text = error.render().to_string();
    // Tips and usage follow after an empty line.
    let message = text.split("\n\n").next().unwrap_or(&text);
    let words: Vec<&str> = message.trim_start_matches("error:").split_whitespace().collect();
    complain(&format!("{}; see `edgeclip --help`", words.join(" ")));
    ExitCode::from(2)
}

/// Writes to standard output; true if whoever read it has gone, which is no error.
fn print(write: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>) -> Result<bool> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        Err(error) => Err(error).context("standard output"),
    }
}
