//! From text to what stands side by side on the screen: letters joined as in Arabic, right-to-left runs in
//! visual order, characters without a glyph as their code point.

use std::sync::Once;

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

/// Marks of direction, joiners and variation selectors.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Accents, points and vowel signs that stand over or under the letter before.
fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{487}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}'
        | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{e31}'
        | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{3099}' | '\u{309a}')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
        && !matches!(c, '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}')
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

/// Arabic letters: first of their presentation forms, which follow in the order isolated, final, initial,
/// medial, and whether they join what follows (four forms) or not (two).
fn forms(c: char) -> Option<(u32, bool)> {
    let point = u32::from(c);
    let found = match point {
        0x622..=0x625 => (0xfe81 + 2 * (point - 0x622), false),
        0x626 => (0xfe89, true),
        0x627 => (0xfe8d, false),
        0x628 => (0xfe8f, true),
        0x629 => (0xfe93, false),
        0x62a..=0x62e => (0xfe95 + 4 * (point - 0x62a), true),
        0x62f..=0x632 => (0xfea9 + 2 * (point - 0x62f), false),
        0x633..=0x63a => (0xfeb1 + 4 * (point - 0x633), true),
        0x641..=0x647 => (0xfed1 + 4 * (point - 0x641), true),
        0x648 => (0xfeed, false),
        0x649 => (0xfeef, false),
        0x64a => (0xfef1, true),
        0x679 => (0xfb66, true),
        0x67e => (0xfb56, true),
        0x686 => (0xfb7a, true),
        0x688 => (0xfb88, false),
        0x691 => (0xfb8c, false),
        0x698 => (0xfb8a, false),
        0x6a9 => (0xfb8e, true),
        0x6af => (0xfb92, true),
        0x6ba => (0xfb9e, false),
        0x6c1 => (0xfba6, true),
        0x6cc => (0xfbfc, true),
        0x6d2 => (0xfbae, false),
        _ => return None,
    };
    Some(found)
}

/// Arabic letters in the forms in which they join their neighbours, lam and alef as one.
fn joined(text: &str) -> Vec<char> {
    const TATWEEL: char = '\u{640}';
    let letters: Vec<char> = text.chars().collect();
    let joins_next = |c: char| c == TATWEEL || forms(c).is_some_and(|(_, joins)| joins);
    let joins_last = |c: char| c == TATWEEL || forms(c).is_some();
    let ligature = |c: char| match c {
        '\u{622}' => Some(0xfef5),
        '\u{623}' => Some(0xfef7),
        '\u{625}' => Some(0xfef9),
        '\u{627}' => Some(0xfefb),
        _ => None,
    };
    let mut shaped = Vec::with_capacity(letters.len());
    let mut i = 0;
    while let Some(&c) = letters.get(i) {
        let before = letters.iter().take(i).rev().find(|c| !is_combining(**c)).copied();
        let after = letters.iter().skip(i + 1).find(|c| !is_combining(**c)).copied();
        let is_joined = before.is_some_and(joins_next);
        let lam = (c == '\u{644}').then(|| letters.get(i + 1).copied().and_then(ligature)).flatten();
        let point = match (lam, forms(c)) {
            (Some(ligature), _) => Some(ligature + u32::from(is_joined)),
            (None, Some((first, joins))) => {
                Some(first + u32::from(is_joined) + 2 * u32::from(joins && after.is_some_and(joins_last)))
            }
            (None, None) => None,
        };
        shaped.push(point.and_then(char::from_u32).unwrap_or(c));
        i += if lam.is_some() { 2 } else { 1 };
    }
    shaped
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
