//! Quotes of any kind around the items of a list, and where a list is split.

use super::SEPARATORS;

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
/// Splits at [`SEPARATORS`] outside of quotes, which count where an item or the half of one begins.
pub(super) fn split(text: &str) -> Vec<&str> {
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
pub(super) fn unquoted(text: &str) -> Option<&str> {
    let text = text.trim();
    let (first, last) = (text.chars().next()?, text.chars().next_back()?.len_utf8());
    let end = Closing::of(text).end(0, first)?;
    let inner = text.get(first.len_utf8()..end - last)?;
    (end == text.len() && !inner.is_empty() && !holds_two(inner)).then(|| inner.trim())
}

/// Whether there are two quoted texts side by side, without the quotes around both.
pub(super) fn holds_two(text: &str) -> bool {
    ["' '", "’ ‘", "'  '"].iter().any(|between| text.contains(between))
}
