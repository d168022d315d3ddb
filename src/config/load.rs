//! From a file and flags to settings.

use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::settings::Settings;
use super::suggest::with_suggestion;
use crate::error::{Error, Result};

/// Reads a configuration file. It is checked by itself, so that errors name its lines.
///
/// # Errors
/// [`Error::Io`], or [`Error::Input`] with the line of what is no TOML or no setting.
pub fn read(path: &Path) -> Result<Table> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| Error::Io { name: name.clone(), source })?;
    let table = text.parse::<Table>().and_then(|table| toml::from_str::<Settings>(&text).map(|_| table));
    table.map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        wrong(format!("{name}, line {line}"), error.message())
    })
}

/// Puts the value of a flag `--set KEY=VALUE` into `table`; `KEY` may name a place in tables (`track.lost`). `VALUE` is TOML, or
/// a string without its quotes.
///
/// # Errors
/// [`Error::Input`] if there is no `=`, or a part of the key is a value already.
pub fn assign(table: &mut Table, assignment: &str) -> Result<()> {
    let Some((key, value)) = assignment.split_once('=') else {
        return Err(Error::input("--set", assignment, "KEY=VALUE, for example fps=5"));
    };
    let parsed = format!("value = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    let value = parsed.unwrap_or_else(|| Value::String(value.trim().to_owned()));
    let mut place = table;
    let mut parts = key.trim().split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            place.insert(part.to_owned(), value);
            return Ok(());
        }
        let inner = place.entry(part).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = inner else {
            return Err(Error::input(
                "--set",
                format!("{key}, but {part} is no table"),
                "the name of a setting",
            ));
        };
        place = inner;
    }
    Ok(())
}

/// The settings that `table` holds.
///
/// # Errors
/// [`Error::Input`] for an unknown key, with the nearest name, and for values of another type or out of range.
pub fn resolve(table: Table) -> Result<Settings> {
    let settings: Settings =
        table.try_into().map_err(|error: toml::de::Error| wrong("settings".to_owned(), error.message()))?;
    settings.check()?;
    Ok(settings)
}

fn wrong(name: String, message: &str) -> Error {
    let (found, expected) = with_suggestion(message);
    Error::input(name, found, expected)
}

/// For deserialisers of settings: an error whose message has both parts that ours have.
pub(super) fn refuse<E: serde::de::Error>(found: &str, expected: &str) -> E {
    E::custom(format!("{found}, expected {expected}"))
}
