//! What to look for, in the user's words.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;

use super::list;
use crate::error::{Error, Result};

/// Longest prompt and longest name, in characters.
pub(crate) const MAX_CHARACTERS: usize = 500;
/// Most prompts of one vocabulary.
pub(crate) const MAX_PROMPTS: usize = 20_000;
/// Largest prompt file in bytes: more cannot hold valid prompts.
const MAX_FILE_BYTES: u64 = (MAX_PROMPTS * (2 * MAX_CHARACTERS + 8)) as u64;

/// One thing to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// What is printed.
    pub name: String,
    /// What is embedded.
    pub text: String,
}

impl Prompt {
    /// Reads `person, dog, red bus`, other notations of such a list ([`list::items`]), or `@FILE` with one prompt
    /// per line and `#` comments. Each item is a prompt, or `name = prompt` if the printed name is to differ.
    /// Empty items are skipped, repeated ones merged.
    ///
    /// # Errors
    /// [`Error::Settings`] if nothing is left, a prompt or name is empty or longer than [`MAX_CHARACTERS`],
    /// one name has two prompts or one prompt two names, there are more than [`MAX_PROMPTS`], or the file
    /// cannot be read as UTF-8 text.
    pub(crate) fn parse(argument: &str) -> Result<Vec<Self>> {
        match argument.trim().strip_prefix('@') {
            Some(file) => Self::of_file(file, &read(file)?),
            None => Self::list("prompt", "prompt", argument),
        }
    }

    /// Reads `text` of `file`: one prompt per line, an array, or a detector's data file with `names:`.
    ///
    /// # Errors
    /// Same as [`Prompt::parse`].
    pub(crate) fn of_file(file: &str, text: &str) -> Result<Vec<Self>> {
        let lines = match list::names(text) {
            _ if list::is_array(text) => return Self::list(file, file, text),
            Some(list::Names::Flow(names)) => return Self::list(file, file, &names),
            Some(list::Names::Block(lines)) => lines,
            None => {
                let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim_start()));
                let lines: Vec<_> =
                    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect();
                if let [(i, only)] = lines.as_slice() {
                    return Self::list(&format!("{file} line {i}"), file, only);
                }
                lines
            }
        };
        let (numbers, lines): (Vec<usize>, Vec<&str>) = lines.into_iter().unzip();
        let items = numbers.into_iter().zip(list::uncounted(lines)).map(|(i, line)| {
            let place = format!("{file} line {i}");
            list::line(&place, line).map(|item| (place, item))
        });
        collect(file, items)
    }

    /// Reads one prompt per item; errors name `source`.
    ///
    /// # Errors
    /// Same as [`Prompt::parse`], and if an item is a list itself.
    pub(crate) fn each(source: &str, items: &[String]) -> Result<Vec<Self>> {
        collect(source, items.iter().map(|item| Ok((source.to_owned(), list::only_item(source, item)?))))
    }

    /// Reads a list at `place` in `source`.
    fn list(place: &str, source: &str, text: &str) -> Result<Vec<Self>> {
        let items = list::items(place, text)?;
        collect(source, items.into_iter().map(|item| Ok((place.to_owned(), item))))
    }

    fn parse_one(place: &str, item: &str) -> Result<Option<Self>> {
        let item = one_spaced(item);
        if item.is_empty() {
            return Ok(None);
        }
        let (name, text) = item.split_once('=').unwrap_or((&item, &item));
        let (name, text) = (name.trim(), text.trim());
        if name.is_empty() || text.is_empty() {
            return Err(Error::settings(
                place,
                format!("\"{}\"", shortened(&item)),
                "a prompt, or NAME = PROMPT",
            ));
        }
        for part in [name, text] {
            let length = part.chars().count();
            if length > MAX_CHARACTERS {
                let found = format!("{length} characters in \"{}\"", shortened(part));
                return Err(Error::settings(place, found, format!("at most {MAX_CHARACTERS} per prompt")));
            }
        }
        Ok(Some(Self { name: name.to_owned(), text: text.to_owned() }))
    }
}

/// The text of a prompt file without a byte order mark.
fn read(file: &str) -> Result<String> {
    if file.is_empty() {
        return Err(Error::settings("prompt", "@ without a file name", "@FILE with one prompt per line"));
    }
    let unreadable =
        |error: std::io::Error| Error::settings(file, error.to_string(), "a text file, one prompt per line");
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        let found = format!("more than {MAX_FILE_BYTES} bytes");
        return Err(Error::settings(file, found, format!("at most {MAX_PROMPTS} prompts, one per line")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        Error::settings(
            file,
            format!("bytes that are not UTF-8 at offset {offset}"),
            "UTF-8 text, one prompt per line",
        )
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// Parses (place, item) pairs and merges duplicates; the first of each stays.
fn collect(source: &str, items: impl Iterator<Item = Result<(String, String)>>) -> Result<Vec<Prompt>> {
    let mut prompts: Vec<Prompt> = Vec::new();
    let mut name_of_text: HashMap<String, String> = HashMap::new();
    let mut text_of_name: HashMap<String, String> = HashMap::new();
    for item in items {
        let (place, item) = item?;
        let Some(prompt) = Prompt::parse_one(&place, &item)? else { continue };
        // The text tower folds case: prompts that differ only there are the same prompt.
        let (name, text) = (prompt.name.to_lowercase(), prompt.text.to_lowercase());
        if let Some(other) = name_of_text.get(&text) {
            if *other == name {
                continue;
            }
            let found = format!("a second name for the prompt \"{}\"", shortened(&prompt.text));
            return Err(Error::settings(place, found, "one name per prompt"));
        }
        if text_of_name.contains_key(&name) {
            let found = format!("a second prompt for the name \"{}\"", shortened(&prompt.name));
            return Err(Error::settings(place, found, "one prompt per name"));
        }
        name_of_text.insert(text.clone(), name.clone());
        text_of_name.insert(name, text);
        prompts.push(prompt);
        if prompts.len() > MAX_PROMPTS {
            return Err(Error::settings(source, "more prompts", format!("at most {MAX_PROMPTS}")));
        }
    }
    if prompts.is_empty() {
        return Err(Error::settings(
            source,
            "no prompt",
            "at least one, for example \"person, dog, red bus\"",
        ));
    }
    Ok(prompts)
}

/// Runs of white space and control characters become one space, none at the ends.
fn one_spaced(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// At most 40 characters of `text`, for error messages.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 40 { text.to_owned() } else { text.chars().take(39).chain(['…']).collect() }
}

#[cfg(test)]
#[path = "prompts_tests.rs"]
mod tests;
