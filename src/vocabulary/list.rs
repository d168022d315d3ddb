//! Lists of prompts as people and other programs write them: from one text to its items.

use crate::error::{Error, Result};

/// What separates prompts besides commas: those of other scripts, semicolons, line ends.
const SEPARATORS: [char; 7] = [',', '\u{ff0c}', '、', '،', ';', '\u{ff1b}', '\n'];
/// Pairs of quotes.
const QUOTES: [(char, char); 11] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('“', '”'),
    ('„', '“'),
    ('„', '”'),
    ('‘', '’'),
    ('«', '»'),
    ('»', '«'),
    ('「', '」'),
    ('『', '』'),
];
/// What an error says is expected.
const EXPECTED: &str = "commas between prompts, such as \"person, dog, red bus\", or NAME = PROMPT; quotes around a \
                        prompt keep its punctuation";

/// The prompts of a list: `cat, dog`, `cat;dog`, one per line, `[cat, dog]`, a JSON or Python array, nested or
/// not, `cat. dog.`; each in quotes of any kind or without. `place` is named in errors.
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
        let short: String = bare.chars().take(40).collect();
        return Err(Error::settings(place, format!("\"{short}\""), EXPECTED));
    }
    Ok(bare.to_owned())
}

/// One prompt where there is a place for each.
///
/// # Errors
/// Same as [`items`], and if there are several.
pub(super) fn only_item(place: &str, text: &str) -> Result<String> {
    let parts = split(text.trim().trim_end_matches(SEPARATORS));
    if parts.len() > 1 {
        let short: String = text.trim().chars().take(40).collect();
        let parts: Vec<String> = parts.iter().take(3).map(|part| format!("{:?}", part.trim())).collect();
        let expected =
            format!("a prompt in each item, [{}]; or quotes inside, '\"{short}\"'", parts.join(", "));
        return Err(Error::settings(place, format!("\"{short}\" in one item"), expected));
    }
    item(place, text)
}

/// Whether a whole text, with its line ends, is an array.
pub(super) fn is_array(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{'])
}

/// The strings of a JSON array, at any depth, or of an object by numbers (`{"0": "cat"}`, class names of
/// detectors).
fn json(text: &str) -> Option<Vec<String>> {
    fn strings(value: serde_json::Value, into: &mut Vec<String>) -> Option<()> {
        match value {
            serde_json::Value::String(text) => into.push(text),
            serde_json::Value::Array(values) => {
                values.into_iter().try_for_each(|value| strings(value, into))?
            }
            serde_json::Value::Object(map) if map.keys().all(|key| key.parse::<u32>().is_ok()) => {
                let mut pairs: Vec<_> = map.into_iter().collect();
                pairs.sort_by_key(|(key, _)| key.parse::<u32>().unwrap_or_default());
                pairs.into_iter().try_for_each(|(_, value)| strings(value, into))?;
            }
            _ => return None,
        }
        Some(())
    }
    let mut into = Vec::new();
    let value = is_array(text).then(|| serde_json::from_str(text).ok()).flatten()?;
    strings(value, &mut into).map(|()| into)
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

/// Splits at [`SEPARATORS`] outside of quotes, which count where an item or the half of one begins.
fn split(text: &str) -> Vec<&str> {
    let mut quotes = Closing::of(text);
    let (mut parts, mut start, mut fresh, mut skip_to) = (Vec::new(), 0, true, 0);
    for (at, c) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        if SEPARATORS.contains(&c) {
            parts.push(text.get(start..at).unwrap_or_default());
            (start, fresh) = (at + c.len_utf8(), true);
        } else if fresh && let Some(end) = quotes.end(at, c) {
            skip_to = end;
            fresh = false;
        } else {
            fresh = c == '=' || (fresh && c.is_whitespace());
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// Where quotes of a text close. Each is looked for once, however many open.
struct Closing<'a> {
    text: &'a str,
    /// Of each of [`QUOTES`]: where the last search began, and what it found.
    known: [Option<(usize, Option<usize>)>; QUOTES.len()],
}

impl<'a> Closing<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, known: [None; QUOTES.len()] }
    }

    /// Index behind the quoted text that `first` opens at `at`, quotes included; `None` unless it ends an item.
    /// Apostrophes inside of single quotes are passed over.
    fn end(&mut self, at: usize, first: char) -> Option<usize> {
        let text = self.text;
        let pairs = QUOTES.iter().zip(&mut self.known).filter(|((open, _), _)| *open == first);
        let ends = pairs.filter_map(|((_, close), known)| {
            let from = at + first.len_utf8();
            let found = match *known {
                Some((begun, found))
                    if begun <= from && found.is_none_or(|end| end - close.len_utf8() >= from) =>
                {
                    found
                }
                _ => {
                    let behind = text.get(from..).unwrap_or_default().match_indices(*close);
                    let mut ends = behind.map(|(at, close)| from + at + close.len());
                    let apostrophe = matches!(close, '\'' | '’');
                    let found = if apostrophe { ends.find(|end| ends_item(text, *end)) } else { ends.next() };
                    *known = Some((from, found));
                    found
                }
            };
            found.filter(|end| ends_item(text, *end))
        });
        ends.min()
    }
}

/// Whether an item, or the half of one, may end here.
fn ends_item(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default().trim_start_matches([' ', '\t']);
    rest.is_empty() || rest.starts_with(SEPARATORS) || rest.starts_with(['=', ']', '}'])
}

/// What stands between quotes around the whole of `text`.
fn unquoted(text: &str) -> Option<&str> {
    let text = text.trim();
    let (first, last) = (text.chars().next()?, text.chars().next_back()?.len_utf8());
    let end = Closing::of(text).end(0, first)?;
    let inner = text.get(first.len_utf8()..end - last)?;
    (end == text.len() && !inner.is_empty()).then(|| inner.trim())
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

/// Whether the last word is one that ends with a full stop, such as `St`, `Mr`, `U.S`.
fn is_abbreviation(text: &str) -> bool {
    let word = text.split_whitespace().next_back().unwrap_or_default();
    word.starts_with(char::is_uppercase) && (word.chars().count() <= 3 || word.contains('.'))
}

/// Whether `text` is no phrase but a list or mapping in a notation that is not known here.
fn is_foreign(text: &str) -> bool {
    let bracket = text.contains(['[', ']', '{', '}', '|', ';', '\u{ff1b}']);
    let mapping = text.contains(": ") || text.ends_with(':') || text.contains("=>") || text.contains("==");
    let stop = text.match_indices(". ").any(|(at, _)| !is_abbreviation(text.get(..at).unwrap_or_default()));
    let quotes = |c: char| matches!(c, '"' | '“' | '”' | '„' | '«' | '»' | '「' | '」' | '`');
    // `24" monitor` measures in inches.
    let inches =
        |at: usize| text.get(..at).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
    let quote = text.char_indices().any(|(at, c)| quotes(c) && !(c == '"' && inches(at)));
    bracket || mapping || stop || quote
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
