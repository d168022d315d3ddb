//! `--set KEY=VALUE`

use toml::{Table, Value};

use crate::error::{Error, Result};

/// Puts `KEY=VALUE` into `table`; `KEY` may name a place in nested tables (`track.lost`). `VALUE` is TOML, or
/// a string without its quotes.
///
/// # Errors
/// [`Error::Settings`] if there is no `=`, or part of the key is a value already.
pub(crate) fn assign(table: &mut Table, assignment: &str) -> Result<()> {
    let Some((key, value)) = assignment.split_once('=') else {
        return Err(Error::settings("--set", assignment, "KEY=VALUE, for example fps=5"));
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
            let found = format!("{key}, but {part} is not a table");
            return Err(Error::settings("--set", found, "the name of a setting"));
        };
        place = inner;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::{Target, resolve};

    #[test]
    fn every_key_can_be_set_by_its_path() {
        let mut table = Table::new();
        for assignment in [
            "fps=5",
            "track.confirm_hits = 4",
            "vocab=a.safetensors",
            "line=[{name='d', from=[0,0], to=[1,1]}]",
        ] {
            assign(&mut table, assignment).unwrap();
        }
        let settings = resolve(table.clone()).unwrap();
        assert_eq!(
            (settings.fps, settings.track.confirm_hits, settings.line.len()),
            (Target::Fps(5.0), 4, 1)
        );
        assert_eq!(settings.vocab, Some(PathBuf::from("a.safetensors")));
        assert!(assign(&mut table, "fps").unwrap_err().to_string().contains("KEY=VALUE"));
        assert!(assign(&mut table, "fps.x=1").unwrap_err().to_string().contains("fps is not a table"));
    }
}
