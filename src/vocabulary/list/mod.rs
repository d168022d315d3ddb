//! Lists of prompts as people and other programs write them: from one text to its items.

mod arrays;
mod foreign;
mod numbers;
mod quotes;
mod yaml;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

pub(super) use arrays::is_array;
pub(super) use numbers::uncounted;
pub(super) use yaml::{Names, names};

use arrays::json;
use foreign::{as_list, is_abbreviation, is_foreign};
use quotes::{split, unquoted};

use crate::error::{Error, Result};

/// What separates prompts besides commas: those of other scripts, semicolons, tabs, line ends.
const SEPARATORS: [char; 12] =
    [',', '\u{ff0c}', '、', '،', ';', '\u{ff1b}', '؛', '\n', '\r', '\t', '\u{2028}', '\u{2029}'];
/// Most prompts that are told of.
const MOST_TOLD: usize = 100;
/// What an error says is expected.
const EXPECTED: &str = "commas between prompts, such as \"person, dog, red bus\", or NAME = PROMPT; quotes around a \
                        prompt keep its punctuation";

/// The prompts of a list: `cat, dog`, `cat;dog`, one per line or behind tabs, `[cat, dog]`, a JSON or Python array,
/// nested or not, `cat. dog.`, `1. cat, 2. dog`; each in quotes of any kind or without. `place` is named in errors.
///
/// # Errors
/// [`Error::Settings`] if it is written in another way that would otherwise be taken for words.
pub(super) fn items(place: &str, text: &str) -> Result<Vec<String>> {
    let text = text.trim();
    match json(text) {
        // One string that holds a list.
        Some(strings) if matches!(strings.as_slice(), [only] if split(only).len() > 1) => {
            return strings.iter().flat_map(|only| split(only)).map(|part| item(place, part)).collect();
        }
        Some(strings) => return Ok(strings),
        None => {}
    }
    let text = enclosed(text);
    let mut parts = split(text);
    if let [only] = parts.as_slice() {
        match unquoted(only) {
            // A list that was quoted as a whole, once by the shell and once more.
            Some(inner) if split(inner).len() > 1 => parts = split(inner),
            Some(_) => {}
            None => parts = sentences(only),
        }
    }
    parts = uncounted(parts);
    // `cat, dog, and bird`
    if let [.., _, last] = parts.as_mut_slice() {
        *last = ["and ", "or ", "& "].iter().find_map(|word| last.trim().strip_prefix(word)).unwrap_or(last);
    }
    parts.into_iter().map(|part| item(place, part)).collect()
}

/// One prompt, or `NAME = PROMPT`, without quotes around it or its halves and without a full stop behind.
///
/// # Errors
/// Same as [`items`].
pub(super) fn item(place: &str, text: &str) -> Result<String> {
    let text = text.trim().trim_end_matches(SEPARATORS).trim_end();
    if let Some(inner) = unquoted(text) {
        return Ok(inner.to_owned());
    }
    if let Some((name, prompt)) = text.split_once('=')
        && (unquoted(name.trim()).is_some() || unquoted(prompt.trim()).is_some())
    {
        let bare = |half: &str| unquoted(half.trim()).unwrap_or(half.trim()).to_owned();
        return Ok(format!("{} = {}", bare(name), bare(prompt)));
    }
    let bare = text.strip_suffix('.').filter(|bare| !is_abbreviation(bare)).unwrap_or(text).trim_end();
    if is_foreign(bare) {
        return Err(Error::settings(place, format!("\"{}\"", short(bare)), EXPECTED));
    }
    if let Some(list) = as_list(bare) {
        tell(place, bare, &list);
    }
    Ok(bare.to_owned())
}

/// Tells, once for each, of a prompt that may be one thing or a list of two.
fn tell(place: &str, prompt: &str, list: &str) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.len() < MOST_TOLD && told.insert(prompt.to_owned()) {
        tracing::warn!(
            "{place}: \"{prompt}\" is looked for as one thing; two are written \"{list}\" (in quotes within the list, it is one without this message)"
        );
    }
}

/// One prompt where there is a place for each.
///
/// # Errors
/// Same as [`items`], and if there are several.
pub(super) fn only_item(place: &str, text: &str) -> Result<String> {
    let parts = split(text.trim().trim_end_matches(SEPARATORS));
    if parts.len() > 1 {
        let short = short(text.trim());
        let parts: Vec<String> = parts.iter().take(3).map(|part| format!("{:?}", part.trim())).collect();
        let expected =
            format!("a prompt in each item, [{}]; or quotes inside, '\"{short}\"'", parts.join(", "));
        return Err(Error::settings(place, format!("\"{short}\" in one item"), expected));
    }
    item(place, text)
}

/// One prompt on a line of several: its commas belong to it, unless they separate columns.
///
/// # Errors
/// Same as [`items`], and if there are columns.
pub(super) fn line(place: &str, text: &str) -> Result<String> {
    let text = text.trim().trim_end_matches(SEPARATORS);
    // `1,000 dollars` are a number.
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let plain: String = text
        .char_indices()
        .filter(|(at, c)| !(*c == ',' && *at > 0 && digit(at - 1) && digit(at + 1)))
        .map(|(_, c)| c)
        .collect();
    let parts = split(&plain);
    let is_number = |part: &&str| part.trim().bytes().all(|byte| byte.is_ascii_digit());
    // `red, white bus` has a space behind its comma.
    let tight = parts.iter().skip(1).any(|part| part.starts_with(|c: char| !c.is_whitespace()));
    if parts.len() > 1 && (tight || parts.iter().any(is_number)) {
        let expected = "one prompt per line, without columns; quotes around a prompt keep its commas";
        return Err(Error::settings(place, format!("\"{}\"", short(text)), expected));
    }
    item(place, text)
}

/// At most 40 characters of `text`.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// `text` without brackets around the whole of it.
fn enclosed(mut text: &str) -> &str {
    loop {
        let inner = [('[', ']'), ('{', '}'), ('(', ')')].into_iter().find_map(|(open, close)| {
            let inner = text.strip_prefix(open)?.strip_suffix(close)?;
            // `(big) dog, cat (small)` is not enclosed.
            (open == '[' || !inner.contains(open)).then_some(inner)
        });
        match inner {
            Some(inner) => text = inner.trim(),
            None => return text,
        }
    }
}

/// `cat. dog.` and `cat . dog`, as grounding models take prompts; anything else is one item.
fn sentences(text: &str) -> Vec<&str> {
    let text = text.trim();
    let spaced = text.contains(" . ");
    let inner = text.trim_end_matches('.').trim_end();
    if !spaced && (inner == text || inner.split(". ").any(is_abbreviation)) {
        return vec![text];
    }
    let parts = inner.split(if spaced { " . " } else { ". " });
    parts.filter(|part| !part.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests;
