//! The words of a vocabulary's entries.

use super::embeddings::Embeddings;
use edgeclip_kernels::normalise;

/// Prompts with their embeddings. An entry may have none, one, or several that mean the same.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Texts {
    /// What was embedded.
    pub(super) prompts: Vec<String>,
    /// Unit norm, one per prompt.
    pub(super) rows: Embeddings,
    /// Index of each prompt's entry.
    pub(super) entries: Vec<usize>,
}

impl Texts {
    /// No words so far, of embeddings with so many values.
    pub(super) fn new(dimension: usize) -> Self {
        Self { prompts: Vec::new(), rows: Embeddings::new(dimension), entries: Vec::new() }
    }

    /// One prompt per entry.
    pub(super) fn each(prompts: Vec<String>, rows: Embeddings) -> Self {
        let entries = (0..prompts.len()).collect();
        Self { prompts, rows, entries }
    }

    /// The prompts of an entry.
    pub(super) fn of(&self, entry: usize) -> impl Iterator<Item = &str> {
        let prompts = self.prompts.iter().zip(&self.entries).filter(move |(_, owner)| **owner == entry);
        prompts.map(|(prompt, _)| prompt.as_str())
    }

    /// Whether each of so many entries has one prompt, in order.
    pub(super) fn is_plain(&self, entries: usize) -> bool {
        self.entries.len() == entries && self.entries.iter().enumerate().all(|(i, entry)| i == *entry)
    }

    /// Adds a prompt of an entry; false if its embedding has another dimension.
    #[must_use]
    pub(super) fn push(&mut self, prompt: &str, row: &[f32], entry: usize) -> bool {
        let fits = self.rows.push(row);
        if fits {
            self.prompts.push(prompt.to_owned());
            self.entries.push(entry);
        }
        fits
    }

    /// Keeps the prompts whose entries `place` gives a place, under that.
    pub(super) fn moved(&self, place: impl Fn(usize) -> Option<usize>) -> Self {
        let mut moved = Self::new(self.rows.dimension());
        for ((prompt, row), entry) in self.prompts.iter().zip(self.rows.rows()).zip(&self.entries) {
            // Rows of one dimension always fit.
            let _ = place(*entry).is_some_and(|entry| moved.push(prompt, row, entry));
        }
        moved
    }

    /// One row for each of so many entries: the normalised mean of its words, zeros for one without words.
    pub(super) fn combined(&self, entries: usize) -> Embeddings {
        if self.is_plain(entries) {
            return self.rows.clone();
        }
        let dimension = self.rows.dimension();
        let mut sums = vec![0.0; entries * dimension];
        let mut counts = vec![0; entries];
        for (row, entry) in self.rows.rows().zip(&self.entries) {
            let sum = sums.chunks_exact_mut(dimension).nth(*entry);
            sum.into_iter().flatten().zip(row).for_each(|(sum, value)| *sum += value);
            counts.get_mut(*entry).into_iter().for_each(|count| *count += 1);
        }
        // One row alone is of unit norm as it is.
        for (sum, count) in sums.chunks_exact_mut(dimension).zip(&counts) {
            if *count > 1 {
                normalise::l2(sum);
            }
        }
        Embeddings::from_data(dimension, sums).unwrap_or_else(|| Embeddings::new(dimension))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_words_of_an_entry_are_their_normalised_mean() {
        let mut texts = Texts::new(2);
        assert!(texts.push("a", &[1.0, 0.0], 2) && texts.push("b", &[0.6, 0.8], 0));
        assert!(texts.push("c", &[0.0, 1.0], 2) && !texts.push("d", &[1.0], 1));
        let half = 0.5f32.sqrt();
        let found = texts.combined(3);
        assert_eq!(found.data()[..4], [0.6, 0.8, 0.0, 0.0]);
        assert!(found.data()[4..].iter().all(|v| (v - half).abs() < 1e-6), "{found:?}");
        let moved = texts.moved(|entry| (entry == 2).then_some(0));
        assert_eq!((moved.prompts, moved.entries), (vec!["a".to_owned(), "c".to_owned()], vec![0, 0]));
        assert_eq!(texts.of(2).collect::<Vec<_>>(), ["a", "c"]);
    }
}
