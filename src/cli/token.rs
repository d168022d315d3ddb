//! `edgeclip token`

use std::path::{Path, PathBuf};

use super::{Failures, print_text, shown};
use crate::error::{Error, ErrorKind, Result};
use crate::sinks::{AtomicFile, PRIVATE, utc};
use crate::surfaces::{is_token_file, new_token, token_line};
use crate::system::{Folder, read_within};

/// Most bytes of a file of tokens.
const LONGEST: u64 = 64 * 1024;

/// Make a token for whoever may ask the server of `edgeclip run --http`
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  edgeclip token new /etc/edgeclip/tokens
  edgeclip token new tokens --name phone
  curl --cacert ca.pem -H \"Authorization: Bearer $TOKEN\" https://camera.example:8443/api/v1/status")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    New(NewArgs),
}

/// Print a new token, and add its hash to a file, which is made, readable by its user alone, if it is not there
///
/// The token is shown once and kept nowhere. Name the file in http.token_file; a line that is deleted lets its token in
/// no more after a restart.
#[derive(clap::Args)]
struct NewArgs {
    /// File with the hashes of tokens
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whom it is for, noted beside the hash
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

/// Runs the subcommand.
///
/// # Errors
/// The file cannot be written, or holds something else.
pub(crate) fn run(args: &Args) -> anyhow::Result<Failures> {
    let Command::New(NewArgs { file, name }) = &args.command;
    let token = new_token()?;
    let name = name.as_deref().unwrap_or_default();
    let note: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
    add(file, &format!("{} {} {note}", token_line(&token), utc(std::time::SystemTime::now())))?;
    print_text(&token)?;
    eprintln!("edgeclip: {}: added; the token is shown this once", shown(file));
    Ok(Failures::default())
}

fn add(file: &Path, line: &str) -> Result<()> {
    let shown = file.display().to_string();
    let refuse = |error| Error::io(ErrorKind::Settings, &shown, error);
    let before = match read_within(file, LONGEST) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(refuse(error)),
    };
    if !is_token_file(&before) {
        let expected = "a name that is free, or a file of `edgeclip token new`";
        return Err(Error::settings(shown, "a file that holds something else", expected));
    }
    let Some(name) = file.file_name() else { return Err(Error::settings(shown, "no name", "a file")) };
    let mut text = before;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line.trim_end());
    text.push('\n');
    let folder = Folder::open(file.parent().unwrap_or(Path::new(""))).map_err(refuse)?;
    let written = AtomicFile::write(&folder, text.as_bytes(), PRIVATE, false).map_err(refuse)?;
    written.replace(name).map_err(refuse)
}
