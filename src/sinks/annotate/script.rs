//! From text to what stands side by side on the screen: letters joined as in Arabic, right-to-left runs in
//! visual order, characters without a glyph as their code point.

use std::sync::Once;

use super::arabic::joined;
use super::characters::{is_combining, is_invisible, is_right_to_left};
use super::font::{Glyph, ROWS, glyph};

/// One drawn character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// What is drawn.
    pub glyph: Glyph,
    /// Whether it is drawn over the cell before.
    pub over: bool,
}

/// Ends a name whose letters run from right to left, so that what follows stays to its right.
pub(super) const LEFT_TO_RIGHT: char = '\u{200e}';

/// Whether every character is of Latin-1, for which there are fonts of many sizes.
pub(super) fn is_latin(text: &str) -> bool {
    text.chars().all(|c| c <= '\u{ff}')
}

/// Whether any of the text runs from right to left.
pub(super) fn has_right_to_left(text: &str) -> bool {
    text.chars().any(is_right_to_left)
}

/// Width in cells of half an ideograph.
pub(super) fn columns(c: char) -> usize {
    if c <= '\u{ff}' {
        return 1;
    }
    match glyph(c) {
        _ if is_invisible(c) || is_combining(c) => 0,
        Some(glyph) => 1 + usize::from(glyph.right.is_some()),
        None => code(c).len(),
    }
}

/// What is drawn for `text`, from left to right.
pub(super) fn cells(text: &str) -> Vec<Cell> {
    let mut cells = Vec::new();
    for c in in_visual_order(joined(text)) {
        if is_invisible(c) {
            continue;
        }
        let over = is_combining(c) && !cells.is_empty();
        let shown = if c.is_control() { '?' } else { c };
        match glyph(shown) {
            Some(glyph) => cells.push(Cell { glyph, over }),
            None => {
                tell(c);
                cells.extend(code(c).chars().filter_map(glyph).map(|glyph| Cell { glyph, over: false }));
            }
        }
    }
    cells
}

impl Cell {
    /// Whether the pixel of this column (0 to 15) and row is set.
    pub(super) fn is_set(&self, column: usize, row: usize) -> bool {
        let half = if column < 8 { Some(self.glyph.left) } else { self.glyph.right };
        half.and_then(|half: &[u8; ROWS]| half.get(row)).is_some_and(|bits| bits << (column % 8) & 0x80 != 0)
    }

    /// Width in pixels.
    pub(super) fn width(&self) -> u32 {
        if self.glyph.right.is_some() { 16 } else { 8 }
    }
}

fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

fn tell(c: char) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!("{} has no glyph in the labels' font and is drawn as its code; `name = prompt` prints another name", code(c))
    });
}

/// Reverses each run from the first to the last of neighbouring right-to-left letters, with what is neutral
/// between them: a part of the Unicode bidirectional algorithm (UAX 9) for lines that begin at the left.
/// Numbers keep their order, brackets are mirrored.
fn in_visual_order(text: Vec<char>) -> Vec<char> {
    let is_strong_left = |c: char| c == LEFT_TO_RIGHT || (c.is_alphabetic() && !is_right_to_left(c));
    let (mut visual, mut rest) = (Vec::with_capacity(text.len()), text.as_slice());
    while let Some(first) = rest.iter().position(|c| is_right_to_left(*c)) {
        let (before, run) = rest.split_at(first);
        visual.extend_from_slice(before);
        let reach = run.iter().position(|c| is_strong_left(*c)).unwrap_or(run.len());
        let (run, after) = run.split_at(reach);
        let end = run.iter().rposition(|c| is_right_to_left(*c)).map_or(0, |last| last + 1);
        let (run, tail) = run.split_at(end);
        visual.extend(reversed(run));
        visual.extend_from_slice(tail);
        rest = after;
    }
    visual.extend_from_slice(rest);
    visual
}

/// A right-to-left run from left to right; marks stay behind their letter, digits in order.
fn reversed(run: &[char]) -> Vec<char> {
    let is_number = |c: char| c.is_numeric() || c == '.';
    let mut clusters: Vec<Vec<char>> = Vec::new();
    for (i, &c) in run.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| run.get(i)).copied();
        let continues = is_combining(c) || (is_number(c) && before.is_some_and(is_number));
        match clusters.last_mut().filter(|_| continues) {
            Some(cluster) => cluster.push(c),
            None => clusters.push(vec![mirrored(c)]),
        }
    }
    clusters.into_iter().rev().flatten().collect()
}

fn mirrored(c: char) -> char {
    let pairs = ['(', ')', '[', ']', '{', '}', '<', '>', '«', '»'];
    let place = pairs.iter().position(|other| *other == c);
    place.and_then(|place| pairs.get(place ^ 1)).copied().unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visual(text: &str) -> String {
        in_visual_order(joined(text)).into_iter().collect()
    }

    #[test]
    fn right_to_left_runs_are_reversed_and_numbers_are_not() {
        assert_eq!(visual("cat 0.93"), "cat 0.93");
        assert_eq!(visual("חתול 0.93"), "לותח 0.93");
        assert_eq!(visual("חתול (12) כלב x"), "בלכ (12) לותח x");
        // A mark of direction keeps a score at the right of its name.
        assert_eq!(visual("חתול\u{200e} 0.93, כלב\u{200e} 0.80"), "לותח\u{200e} 0.93, בלכ\u{200e} 0.80");
        assert_eq!(visual("a חתול b כלב c"), "a לותח b בלכ c");
    }

    #[test]
    fn arabic_letters_join() {
        // Initial qaf, medial tah, final teh marbuta, from right to left.
        assert_eq!(visual("قطة"), "\u{fe94}\u{fec4}\u{fed7}");
        // Reh does not join what follows; lam and alef are one.
        assert_eq!(visual("دار"), "\u{fead}\u{fe8d}\u{fea9}");
        assert_eq!(visual("سلام"), "\u{fee1}\u{fefc}\u{feb3}");
    }

    #[test]
    fn characters_without_a_glyph_are_drawn_as_their_code() {
        let code = cells("U+1F600");
        assert_eq!(cells("😀"), code);
        assert_ne!(cells("😀"), cells("🐕"));
        assert_eq!((columns('😀'), columns('猫'), columns('Ł'), columns('a')), (7, 2, 1, 1));
        assert_eq!(cells("\u{202e}a\u{200e}"), cells("a"));
    }

    #[test]
    fn accents_are_drawn_over_their_letter() {
        let cells = cells("z\u{301}");
        assert_eq!((cells.len(), cells[0].over, cells[1].over), (2, false, true));
        assert_eq!(columns('\u{301}'), 0);
    }
}
