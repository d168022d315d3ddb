//! From TOML to settings.

use std::io;
use std::path::Path;

use toml::Table;

use super::settings::Settings;
use super::suggest::with_suggestion;
use crate::error::{Error, ErrorKind, Result, shown_addresses};
use crate::system::read_within;

/// Most bytes of a configuration file: a hundred sources with a hundred zones each have less.
const LONGEST: u64 = 4 << 20;

/// Reads a configuration file. It is checked on its own, so that errors can name its lines.
///
/// # Errors
/// [`Error::Settings`] if it cannot be read, or with the line that is not TOML or not a setting.
pub(crate) fn read(path: &Path) -> Result<Table> {
    let name = path.display().to_string();
    let bytes = read_within(path, LONGEST).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => wrong_file(&name, error.to_string()),
        _ => Error::io(ErrorKind::Settings, &name, error),
    })?;
    let text = String::from_utf8(bytes);
    parse(&name, &text.map_err(|_| wrong_file(&name, "bytes that are not UTF-8".to_owned()))?)
}

fn wrong_file(name: &str, found: String) -> Error {
    Error::settings(name, found, "a configuration file, as `edgeclip run --print-config` prints one")
}

/// Reads the text of a configuration file, called `name` in errors.
///
/// # Errors
/// [`Error::Settings`] with the line that is not TOML or not a setting.
pub(crate) fn parse(name: &str, text: &str) -> Result<Table> {
    let table = text.parse::<Table>().and_then(|table| toml::from_str::<Settings>(text).map(|_| table));
    table.map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        wrong(format!("{name}, line {line}"), error.message())
    })
}

/// The settings that `table` holds.
///
/// # Errors
/// [`Error::Settings`] for an unknown key, with the nearest name, and for values of another type or out of
/// range.
pub(crate) fn resolve(table: Table) -> Result<Settings> {
    let settings: Settings =
        table.try_into().map_err(|error: toml::de::Error| wrong("settings".to_owned(), error.message()))?;
    settings.check()?;
    Ok(settings)
}

fn wrong(name: String, message: &str) -> Error {
    // What is wrong may be the address of a camera.
    let (found, expected) = with_suggestion(&shown_addresses(message));
    Error::settings(name, found, expected)
}
