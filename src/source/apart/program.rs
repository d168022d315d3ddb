//! The program that is started to read and decode.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::error::{Error, Result};

/// This program, if it is `edgeclip`.
const OWN: &str = "/proc/self/exe";

/// The program `edgeclip` of this version, which has the subcommand `apart`.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// This program is `edgeclip`: from now on, sources are read apart.
pub(crate) fn own() {
    let _ = PROGRAM.set(PathBuf::from(OWN));
}

/// From now on, sources of this process are read by `program`.
///
/// # Errors
/// [`Error::Settings`] if it is not `edgeclip` of this version, whose messages alone are understood, or if another one
/// has been named before.
pub(crate) fn name(program: &Path) -> Result<()> {
    let expected = concat!("edgeclip ", env!("CARGO_PKG_VERSION"));
    let wrong = |found: String| {
        let shown = program.display().to_string();
        Error::settings("decoder program", format!("{shown}: {found}"), format!("the program {expected}"))
    };
    let program = program.canonicalize().map_err(|error| wrong(error.to_string()))?;
    let output = Command::new(&program).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|error| wrong(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if said.trim() != expected {
        let line: String = said.lines().next().unwrap_or_default().chars().take(80).collect();
        return Err(wrong(format!("\"{}\"", line.replace(char::is_control, " "))));
    }
    let named = PROGRAM.get_or_init(|| program.clone());
    if *named == program {
        Ok(())
    } else {
        Err(wrong(format!("another than {}, which is in use", named.display())))
    }
}

/// Whether there is one.
pub(super) fn is_named() -> bool {
    PROGRAM.get().is_some()
}

/// Whether it is this one, which may split itself before it has threads.
pub(super) fn is_own() -> bool {
    path() == Path::new(OWN)
}

/// Where it is.
pub(super) fn path() -> &'static Path {
    PROGRAM.get().map_or(Path::new(""), PathBuf::as_path)
}
