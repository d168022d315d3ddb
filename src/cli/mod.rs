//! The program: flags into validated values, one file per subcommand.

mod annotations;
mod apart;
mod bench;
mod boxes;
mod detect;
mod doctor;
mod embed;
pub(crate) mod eval;
mod export;
mod failures;
mod labels;
mod limits;
mod log;
mod masks;
mod model;
mod panics;
mod privacy;
mod room;
mod run;
mod search;
#[cfg(feature = "serve")]
mod token;
mod vocab;
mod words;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use self::failures::{Failures, UNUSABLE_SETTINGS, complain};
use crate::error::{LONG, obeyed, printable, shown_addresses};
use crate::source::apart::own as read_apart;
use crate::system::{ignore_hangup, set_trim_threshold};

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
    Search(search::Args),
    Vocab(vocab::Args),
    Export(export::Args),
    Embed(embed::Args),
    Eval(eval::Args),
    Bench(bench::Args),
    PrivacyReport(privacy::Args),
    #[cfg(feature = "serve")]
    Token(token::Args),
    #[command(hide = true)]
    Apart(apart::Args),
}

/// Runs the program on its command line. The exit code is 0 if all went well, 2 if some input could not be
/// used, 70 for a bug; `run` ends with 78 if its flags or settings cannot be used.
pub fn run() -> ExitCode {
    // It asks `run` to read the configuration, which it is about to do.
    if std::env::args_os().nth(1).is_some_and(|command| command == "run") {
        ignore_hangup();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let is_service = matches!(cli.command, Command::Run(_));
    set_trim_threshold(LARGE);
    read_apart();
    panics::install();
    let outcome = match cli.command {
        Command::Detect(args) => detect::run(&args),
        Command::Run(args) => run::run(*args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Search(args) => search::run(&args),
        Command::Vocab(args) => vocab::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Embed(args) => embed::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::PrivacyReport(args) => privacy::run(&args),
        #[cfg(feature = "serve")]
        Command::Token(args) => token::run(&args),
        Command::Apart(args) => apart::run(&args),
    };
    let failures = outcome.unwrap_or_else(|error| {
        let mut failures = Failures::default();
        failures.add(error);
        failures
    });
    ExitCode::from(if is_service { failures.service_exit_code() } else { failures.exit_code() })
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
    // What is wrong may be the address of a camera.
    complain(&format!("{}; see `edgeclip --help`", shown_addresses(&words.join(" "))));
    let is_service = std::env::args_os().nth(1).is_some_and(|command| command == "run");
    ExitCode::from(if is_service { UNUSABLE_SETTINGS } else { 2 })
}

/// Writes text in which names and contents of files stand, without what a terminal would obey.
fn print_text(text: &str) -> Result<bool> {
    let text: String = text.chars().map(|c| if c != '\n' && obeyed(c) { ' ' } else { c }).collect();
    print(|out| writeln!(out, "{text}"))
}

/// A file's name, which may hold anything but a zero, as one line.
fn shown(file: &Path) -> String {
    printable(&file.display().to_string(), LONG)
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
