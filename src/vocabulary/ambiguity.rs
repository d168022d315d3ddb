//! Prompts that the text tower can hardly tell apart.

use super::words::Vocabulary;
use edgeclip_kernels::dot;

/// Prompts with at least this cosine are hard to tell apart.
pub(crate) const HARD_TO_TELL_APART: f32 = 0.85;
/// Most pairs that one warning names.
const NAMED: usize = 3;

impl Vocabulary {
    /// What to say of prompts that can hardly be told apart: the closest pairs with their cosine, and what to
    /// leave out. `None` if there are none, or too many prompts to compare.
    pub(crate) fn ambiguity(&self) -> Option<String> {
        let rows: Vec<&[f32]> = self.embeddings().rows().collect();
        let cosine = |a: usize, b: usize| Some(dot::of_floats(rows.get(a)?, rows.get(b)?));
        let places = self.places();
        let mut pairs = Vec::new();
        for label in 0..rows.len() {
            for other in places.rivals(label).filter(|other| *other > label) {
                pairs.extend(
                    cosine(label, other).filter(|c| *c >= HARD_TO_TELL_APART).map(|c| (label, other, c)),
                );
            }
        }
        pairs.sort_by(|a, b| b.2.total_cmp(&a.2));
        let name = |label: usize| self.names().get(label).map_or("", |name| &**name);
        let of_pair = |(a, b, cosine): &(usize, usize, f32)| {
            format!("\"{}\" and \"{}\" (similarity {cosine:.2})", name(*a), name(*b))
        };
        let named: Vec<String> = pairs.iter().take(NAMED).map(of_pair).collect();
        let more = match pairs.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more pairs"),
        };
        let spare = pairs.first().map(|(_, other, _)| name(*other))?;
        Some(format!(
            "hard to tell apart: {}{more}; an object gets the name that fits better. Of names that mean the same, \
             keep one: leave out \"{spare}\", for example",
            named.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::tests::vocabulary;

    #[test]
    fn only_prompts_that_are_hard_to_tell_apart_are_named() {
        let words = vocabulary(
            &[("cat", [1.0, 0.0]), ("dog", [0.0, 1.0]), ("cats", [0.9, 0.436]), ("ox", [0.6, -0.8])],
            &[],
        );
        let warning = words.ambiguity().unwrap();
        assert!(
            warning.starts_with("hard to tell apart: \"cat\" and \"cats\" (similarity 0.90); "),
            "{warning}"
        );
        assert!(warning.ends_with("leave out \"cats\", for example"), "{warning}");
        // Alike, but not that much.
        assert_eq!(vocabulary(&[("cat", [1.0, 0.0]), ("kitten", [0.8, 0.6])], &[]).ambiguity(), None);
        let many: Vec<(&str, [f32; 2])> = ["a", "b", "c", "d"].map(|name| (name, [1.0, 0.0])).to_vec();
        assert!(vocabulary(&many, &[]).ambiguity().unwrap().contains(" and 3 more pairs; "));
    }
}
