//! Arabic letters as they join.

use super::characters::is_combining;

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
pub(super) fn joined(text: &str) -> Vec<char> {
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
