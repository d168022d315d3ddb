//! Changes of a vocabulary: names, words and examples that come and go.

use std::sync::OnceLock;

use super::embeddings::Embeddings;
use super::entry::{Entry, Kind};
use super::examples::{Example, Examples, MOST_EXAMPLES, MOST_OF_ENTRY, Origin};
use super::prompts::MAX_CHARACTERS;
use super::texts::Texts;
use super::words::Vocabulary;
use crate::error::{Error, Result, obeyed};
use crate::model::{FeatureVector, SpaceId};

/// What became of an example that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    /// It was added.
    New,
    /// The entry has it already.
    Known,
}

impl Vocabulary {
    /// A vocabulary without names so far, for the model of `bank`.
    pub(crate) fn empty(bank: &Self) -> Self {
        let texts = Texts::new(bank.embeddings.dimension());
        let (negatives, tower) = (bank.embeddings.clone(), bank.text_sha256.clone());
        Self::of_parts(Vec::new(), Vec::new(), texts, negatives, tower, None)
    }

    /// The place of `name`, which is added if it is new.
    ///
    /// # Errors
    /// [`Error::Settings`] if it is empty, too long or not printable.
    pub(crate) fn ensure(&mut self, name: &str) -> Result<usize> {
        if let Some(label) = self.position(name) {
            return Ok(label);
        }
        check_name(name)?;
        self.names.push(name.into());
        self.entries.push(Entry::default());
        self.renew();
        Ok(self.names.len() - 1)
    }

    /// How a name is used from now on.
    pub(crate) fn set_use(&mut self, label: usize, kind: Option<Kind>, hidden: Option<bool>) {
        if let Some(entry) = self.entries.get_mut(label) {
            entry.kind = kind.unwrap_or(entry.kind);
            entry.hidden = hidden.unwrap_or(entry.hidden);
        }
    }

    /// Adds words to a name; those that it has already are passed over. Names of `bank` become negatives unless
    /// their cosine with any word exceeds `max_similarity`.
    ///
    /// # Errors
    /// [`Error::Settings`] if another name has the same words; [`Error::Bug`] if an embedding has another size.
    pub(crate) fn add_words(
        &mut self,
        label: usize,
        words: &[(String, Vec<f32>)],
        bank: &Self,
        max_similarity: f32,
    ) -> Result<()> {
        for (text, row) in words {
            let same = |prompt: &String| prompt.to_lowercase() == text.to_lowercase();
            if let Some(place) = self.texts.prompts.iter().position(same) {
                let owner = self.texts.entries.get(place).copied().unwrap_or_default();
                if owner == label {
                    continue;
                }
                let found = format!("\"{text}\", which are words of \"{}\"", self.name(owner));
                return Err(Error::settings("words", found, "each once"));
            }
            if !self.texts.push(text, row, label) {
                return Err(Error::bug(format!("an embedding of {} values", row.len())));
            }
        }
        self.set_negatives(bank, max_similarity);
        self.renew();
        Ok(())
    }

    /// Chooses the negatives anew.
    pub(crate) fn set_negatives(&mut self, bank: &Self, max_similarity: f32) {
        let rows = &self.texts.rows;
        let far = bank.embeddings.rows().filter(|row| !rows.dots(row).any(|cosine| cosine > max_similarity));
        let mut negatives = Embeddings::new(bank.embeddings.dimension());
        for row in far {
            // Rows of one dimension always fit.
            let _ = negatives.push(row);
        }
        self.negatives = negatives;
    }

    /// Adds an example of a name, or one of what it is not.
    ///
    /// # Errors
    /// [`Error::Model`] if the others are of another space; [`Error::Settings`] if it is an example of another
    /// name already or, the other way round, of this one, or there are too many.
    pub(crate) fn add_example(
        &mut self,
        label: usize,
        counter: bool,
        vector: FeatureVector,
        space: &SpaceId,
        origin: Origin,
    ) -> Result<Added> {
        let name = self.name(label).to_owned();
        let examples =
            self.examples.get_or_insert_with(|| Examples { space: space.clone(), rows: Vec::new() });
        if examples.space != *space {
            let found = format!("examples of feature space {}", examples.space.short());
            return Err(Error::model(name, found, format!("{} of this model", space.short())));
        }
        let place = || match origin.rect {
            Some([x0, y0, x1, y1]) => format!("{}, box {x0},{y0},{x1},{y1}", origin.file),
            None => origin.file.clone(),
        };
        let same = examples.rows.iter().filter(|row| row.origin.id == origin.id);
        for row in same {
            if row.entry == label && row.counter == counter {
                return Ok(Added::Known);
            }
            let clash = row.entry == label || !row.counter && !counter;
            if clash {
                let other = self.names.get(row.entry).map_or("", |name| &**name);
                let what = if row.counter { "an example against" } else { "an example of" };
                let found = format!("{what} \"{other}\"");
                let expected =
                    format!("one meaning: `edgeclip vocab remove FILE --example {}` drops it", origin.id);
                return Err(Error::settings(place(), found, expected));
            }
        }
        let of_entry = examples.rows.iter().filter(|row| row.entry == label).count();
        if of_entry >= MOST_OF_ENTRY || examples.rows.len() >= MOST_EXAMPLES {
            let expected = format!("at most {MOST_OF_ENTRY} of a name and {MOST_EXAMPLES} in a file");
            return Err(Error::settings(name, "more examples", expected));
        }
        examples.rows.push(Example { entry: label, counter, vector, origin });
        self.prototypes = OnceLock::new();
        Ok(Added::New)
    }

    /// Removes the example with this id from all names; how many there were.
    pub(crate) fn remove_example(&mut self, id: &str) -> usize {
        let Some(examples) = &mut self.examples else { return 0 };
        let before = examples.rows.len();
        examples.rows.retain(|row| row.origin.id != id);
        let removed = before - examples.rows.len();
        if examples.rows.is_empty() {
            self.examples = None;
        }
        self.renew();
        removed
    }

    /// Removes a name with its words and examples.
    pub(crate) fn remove(&mut self, label: usize) {
        self.keep(|entry| match entry.cmp(&label) {
            std::cmp::Ordering::Less => Some(entry),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(entry - 1),
        });
        self.names.remove(label);
        self.entries.remove(label);
        self.renew();
    }

    /// Gives a name another.
    ///
    /// # Errors
    /// [`Error::Settings`] if that is taken, empty, too long or not printable.
    pub(crate) fn rename(&mut self, label: usize, name: &str) -> Result<()> {
        check_name(name)?;
        if self.position(name).is_some_and(|other| other != label) {
            let expected = "a free name; `edgeclip vocab merge` joins two";
            return Err(Error::settings("name", format!("\"{name}\", which is taken"), expected));
        }
        if let Some(old) = self.names.get_mut(label) {
            *old = name.into();
        }
        Ok(())
    }

    /// Gives the words and examples of one name to another, and removes the first. An example that was against
    /// the other is dropped where it is an example of this one.
    pub(crate) fn merge(&mut self, from: usize, into: usize) {
        self.keep(|entry| Some(if entry == from { into } else { entry }));
        if let Some(examples) = &mut self.examples {
            let own: Vec<String> = examples.of(into).map(|row| row.origin.id.clone()).collect();
            let mut seen = std::collections::HashSet::new();
            examples.rows.retain(|row| {
                let of_both = row.entry == into;
                !of_both
                    || seen.insert((row.origin.id.clone(), row.counter))
                        && !(row.counter && own.contains(&row.origin.id))
            });
        }
        self.remove(from);
    }

    /// All words, each with the place of its name.
    pub(crate) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        self.texts.entries.iter().copied().zip(self.texts.prompts.iter().map(String::as_str))
    }

    /// Replaces the embeddings of all words by `rows` and the vectors of all examples by `vectors`, those of
    /// `space`; examples without a vector are dropped. How many examples are left.
    ///
    /// # Errors
    /// [`Error::Settings`] if a name is left with nothing; [`Error::Bug`] if the numbers do not fit.
    pub(crate) fn renew_with(
        &mut self,
        rows: &[Vec<f32>],
        vectors: &[Option<FeatureVector>],
        space: Option<SpaceId>,
        bank: &Self,
        max_similarity: f32,
    ) -> Result<usize> {
        let mut texts = Texts::new(bank.embeddings.dimension());
        let fits = rows.len() == self.texts.prompts.len()
            && self.words().zip(rows).all(|((entry, prompt), row)| texts.push(prompt, row, entry));
        if !fits {
            return Err(Error::bug("embeddings that do not belong to the words"));
        }
        self.texts = texts;
        self.text_sha256.clone_from(&bank.text_sha256);
        let old = self.examples.take().map_or_else(Vec::new, |examples| examples.rows);
        let pairs = old.into_iter().zip(vectors);
        let rows = pairs.filter_map(|(row, vector)| Some(Example { vector: vector.clone()?, ..row }));
        let rows: Vec<Example> = rows.collect();
        let left = rows.len();
        if let Some(space) = space.filter(|_| left > 0) {
            self.examples = Some(Examples { space, rows });
        }
        if let Some(label) = (0..self.names.len()).find(|label| self.is_bare(*label)) {
            let name = self.name(label).to_owned();
            let expected = "words or a crop of it; `edgeclip vocab remove` drops the name";
            return Err(Error::settings(name, "nothing that is left of it", expected));
        }
        self.set_negatives(bank, max_similarity);
        self.renew();
        Ok(left)
    }

    /// Whether a name has neither words nor examples.
    pub(crate) fn is_bare(&self, label: usize) -> bool {
        let examples = self.examples.as_ref();
        let shown = examples.is_some_and(|examples| examples.rows.iter().any(|row| row.entry == label));
        !shown && self.texts.of(label).next().is_none()
    }

    /// The name with this place.
    pub(crate) fn name(&self, label: usize) -> &str {
        self.names.get(label).map_or("", |name| name)
    }

    /// Keeps words and examples of the entries that have a place.
    fn keep(&mut self, place: impl Fn(usize) -> Option<usize>) {
        self.texts = self.texts.moved(&place);
        self.examples = self.examples.as_ref().and_then(|examples| examples.moved(&place));
    }

    /// Forgets what was derived from the names, words and examples of before.
    fn renew(&mut self) {
        self.embeddings = self.texts.combined(self.names.len());
        self.places = OnceLock::new();
        self.prototypes = OnceLock::new();
    }
}

fn check_name(name: &str) -> Result<()> {
    let length = name.chars().count();
    if name.trim() != name || name.is_empty() || name.contains(obeyed) || length > MAX_CHARACTERS {
        let expected = format!("1 to {MAX_CHARACTERS} printable characters, no space at the ends");
        let shown: String = name.chars().take(40).collect();
        return Err(Error::settings("name", format!("{shown:?}"), expected));
    }
    Ok(())
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
