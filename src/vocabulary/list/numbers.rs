//! Numbers and bullets before the items of a list.

/// The items without bullets (`- cat`), and without what counts all of them: numbers that rise, as in `1. cat`, `1) cat`,
/// `(1) cat`, `0: cat`, `0,cat`, or `0 cat` from 0 on; synsets (`n02123045 cat`).
pub(in crate::vocabulary) fn uncounted(items: Vec<&str>) -> Vec<&str> {
    let bullet = |item: &str| BULLETS.iter().find_map(|bullet| item.strip_prefix(bullet)).map(str::len);
    let items: Vec<&str> = items
        .into_iter()
        .map(|item| match bullet(item.trim_start()) {
            Some(rest) => item.get(item.len() - rest..).unwrap_or(item).trim_start(),
            None => item,
        })
        .collect();
    let numbered: Option<Vec<_>> = items.iter().map(|item| number(item)).collect();
    match numbered.filter(|numbered| count(numbered)) {
        Some(numbered) => numbered.into_iter().map(|(.., rest)| rest).collect(),
        None => items,
    }
}

/// As in YAML and Markdown.
const BULLETS: [&str; 4] = ["- ", "* ", "• ", "· "];

/// How a number is set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// `1.`, `1)`, `(1)`
    Ordinal,
    /// `1:`, `1,`
    Key,
    Space,
    Synset,
}

/// Whether numbers count the items.
fn count(numbered: &[(u32, Mark, &str)]) -> bool {
    let Some(&(first, mark, _)) = numbered.first() else { return false };
    let follow = |step: fn(u32, u32) -> bool| {
        numbered.iter().zip(numbered.iter().skip(1)).all(|(a, b)| a.1 == b.1 && step(a.0, b.0))
    };
    match mark {
        Mark::Ordinal => first <= 1 && follow(|a, b| a.checked_add(1) == Some(b)),
        Mark::Key => (numbered.len() > 1 || first <= 1) && follow(|a, b| a < b),
        // From 1 on, `1 dog, 2 dogs` counts dogs.
        Mark::Space => first == 0 && numbered.len() > 1 && follow(|a, b| a.checked_add(1) == Some(b)),
        Mark::Synset => follow(|_, _| true),
    }
}

/// The number before an item, its mark, and the item.
fn number(item: &str) -> Option<(u32, Mark, &str)> {
    let item = item.trim();
    if let Some(synset) = item.strip_prefix('n') {
        let (digits, rest) = synset.split_at_checked(8)?;
        let rest = rest.strip_prefix([' ', '\t'])?.trim();
        let is_synset = digits.bytes().all(|byte| byte.is_ascii_digit()) && !rest.is_empty();
        return is_synset.then_some((0, Mark::Synset, rest));
    }
    let opened = item.strip_prefix('(');
    let digits = opened.unwrap_or(item);
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = digits.split_at_checked(end)?;
    let number = digits.parse().ok()?;
    let (sign, behind) = (rest.chars().next()?, rest.get(rest.chars().next()?.len_utf8()..)?);
    let mark = match sign {
        ')' => Mark::Ordinal,
        '.' if opened.is_none() && behind.starts_with(char::is_whitespace) => Mark::Ordinal,
        ':' | ',' if opened.is_none() => Mark::Key,
        ' ' | '\t' if opened.is_none() => Mark::Space,
        _ => return None,
    };
    let rest = behind.trim();
    (!rest.is_empty()).then_some((number, mark, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_is_left_out_and_what_belongs_to_a_name_is_not() {
        for (items, expected) in [
            (&["1. cat", "2. red dog"][..], ["cat", "red dog"]),
            (&["0) cat", "1) red dog"], ["cat", "red dog"]),
            (&["(1) cat", "(2) red dog"], ["cat", "red dog"]),
            (&["0: cat", "7: red dog"], ["cat", "red dog"]),
            (&["0:cat", "1:red dog"], ["cat", "red dog"]),
            (&["0,cat", "1,red dog"], ["cat", "red dog"]),
            (&["0 cat", "1 red dog"], ["cat", "red dog"]),
            (&["n02123045 cat", "n02099601 red dog"], ["cat", "red dog"]),
            (&["- cat", "- red dog"], ["cat", "red dog"]),
            (&["* cat", "•  red dog"], ["cat", "red dog"]),
        ] {
            assert_eq!(uncounted(items.to_vec()), expected);
        }
        for items in [
            ["1 dog", "2 dogs"],
            ["24 hour clock", "7 up"],
            ["10:30 clock", "10:00 clock"],
            ["1. cat", "dog"],
            ["2. cat", "9. dog"],
            ["3.5 mm jack", "4.5 mm jack"],
            ["n95 mask", "n95 masks"],
        ] {
            assert_eq!(uncounted(items.to_vec()), items);
        }
        assert_eq!(uncounted(vec!["1. cat"]), ["cat"]);
        assert_eq!(uncounted(vec!["- cat", "dog"]), ["cat", "dog"]);
        assert_eq!(uncounted(vec!["10:30 clock"]), ["10:30 clock"]);
    }
}
