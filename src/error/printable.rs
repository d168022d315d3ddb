//! Text that others wrote, on a terminal or in a log.

/// Most characters of a name or sentence in a message.
pub(crate) const LONG: usize = 400;

/// Most characters of a name in a table.
pub(crate) const SHORT: usize = 80;

/// `text` of a file, a device or a peer as one line of at most `most` characters: control characters, which a
/// terminal would obey, and those that turn the direction of text become spaces.
pub(crate) fn printable(text: &str, most: usize) -> String {
    let mut line: String = text.chars().take(most).map(|c| if obeyed(c) { ' ' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        line.push('…');
    }
    line
}

/// Whether a terminal obeys a character instead of showing it.
pub(crate) fn obeyed(c: char) -> bool {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_a_space() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\u{202e}d\u{9b}", SHORT), "a [2Jb  c d ");
        assert_eq!(printable("Käfer 甲虫 🐞", SHORT), "Käfer 甲虫 🐞");
    }

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!(printable(&"x".repeat(10_000_000), 4), "xxxx…");
        assert_eq!(printable("xxxx", 4), "xxxx");
    }
}
