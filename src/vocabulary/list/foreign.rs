//! What is no phrase but a list or mapping in a notation that is not known here. A name may hold the same characters:
//! `AC/DC`, `R&D`, `10:30 clock`, `salt & pepper`.

use super::quotes::holds_two;

/// Whether the last word is one that ends with a full stop, such as `St`, `Mr`, `U.S`.
pub(super) fn is_abbreviation(text: &str) -> bool {
    let word = text.split_whitespace().next_back().unwrap_or_default();
    word.starts_with(char::is_uppercase) && (word.chars().count() <= 3 || word.contains('.'))
}

/// Whether `text` is no phrase.
pub(super) fn is_foreign(text: &str) -> bool {
    let list = ['[', ']', '{', '}', '|', '｜', ';', '；', '؛', '<', '>', '·', '•', '・', '。', '\\'];
    let marks = ["=>", "->", "==", "&&", " :", ": ", "：", " / ", " - ", " – ", " — "];
    let mapping = marks.iter().any(|mark| text.contains(mark)) || text.ends_with(':');
    let chain = text.matches(['=', '＝']).count() > 1;
    let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let stop = text.match_indices(". ").any(|(at, _)| !is_abbreviation(text.get(..at).unwrap_or_default()));
    text.contains(list)
        || mapping
        || chain
        || number
        || stop
        || has_quotes(text)
        || has_lone_bracket(text)
        || joins_words(text)
}

/// `text` as a list, if it holds a sign that joins words into one thing or separates things: `salt & pepper`, `cat & dog`.
pub(super) fn as_list(text: &str) -> Option<String> {
    let sign = [" & ", " + ", " ＆ "].into_iter().find(|sign| text.contains(sign))?;
    Some(text.split(sign).map(str::trim).collect::<Vec<_>>().join(", "))
}

fn has_quotes(text: &str) -> bool {
    let quotes = |c: char| matches!(c, '"' | '“' | '”' | '„' | '«' | '»' | '「' | '」' | '`');
    // `24" monitor` measures in inches.
    let inches =
        |at: usize| text.get(..at).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()));
    holds_two(text) || text.char_indices().any(|(at, c)| quotes(c) && !(c == '"' && inches(at)))
}

/// A bracket that closes what was not opened, as in `2) dog`.
fn has_lone_bracket(text: &str) -> bool {
    let depth = text.chars().try_fold(0_u32, |depth, c| match c {
        '(' | '（' => Some(depth + 1),
        ')' | '）' => depth.checked_sub(1),
        _ => Some(depth),
    });
    depth != Some(0)
}

/// Whether a sign stands between two words, without spaces, where a name has none.
fn joins_words(text: &str) -> bool {
    text.char_indices().filter(|(_, c)| matches!(c, ':' | '/' | '／' | '&' | '＆' | '+' | '~' | '^')).any(
        |(at, sign)| {
            let letters = |c: &char| c.is_alphabetic();
            let before: String =
                text.get(..at).unwrap_or_default().chars().rev().take_while(letters).collect();
            let after: String =
                text.get(at + sign.len_utf8()..).unwrap_or_default().chars().take_while(letters).collect();
            let lengths = [length(&before), length(&after)];
            match sign {
                // `10:30 clock` and `16:9` are numbers.
                ':' => !before.is_empty(),
                _ => lengths.iter().all(|length| *length >= 2) && lengths.iter().any(|length| *length >= 3),
            }
        },
    )
}

/// Letters of a word; 2 at most for an abbreviation in capitals, 3 at least where scripts write words in one letter.
fn length(word: &str) -> usize {
    let letters = word.chars().count();
    let caseless = word.chars().any(|c| !c.is_uppercase() && !c.is_lowercase());
    match () {
        () if caseless => letters.max(3),
        () if word.chars().all(char::is_uppercase) => letters.min(2),
        () => letters,
    }
}
