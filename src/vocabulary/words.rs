//! A vocabulary: names, what was embedded for each, and what else a region could be.

use std::sync::{Arc, OnceLock};

use super::embeddings::Embeddings;
use super::places::Places;
use super::prompts::Prompt;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::dot;
use crate::model::{Bundle, Manifest, NEGATIVES, TEXT, TextTower};

/// Names with the embeddings of their prompts, and the embeddings of "none of these".
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vocabulary {
    /// What is printed, one per row of `embeddings`.
    pub(super) names: Vec<Arc<str>>,
    /// What was embedded, one per row of `embeddings`.
    pub(super) prompts: Vec<String>,
    /// Unit norm.
    pub(super) embeddings: Embeddings,
    /// Lowest score worth reporting, one per row of `embeddings`; `None` leaves it to the model.
    pub(super) thresholds: Vec<Option<f32>>,
    /// Unit norm, of the same dimension.
    pub(super) negatives: Embeddings,
    /// Hash of the text tower that made the embeddings, lower-case hexadecimal.
    pub(super) text_sha256: String,
    /// Compared when they are first asked for: the bank of negatives never is.
    pub(super) places: OnceLock<Places>,
}

/// The prompt that is hardest to tell apart from another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Neighbour {
    /// Index of the name.
    pub label: usize,
    /// Cosine between both prompts, −1 to 1.
    pub similarity: f32,
}

impl Vocabulary {
    /// The model's bank of everyday names, from which negatives are taken.
    ///
    /// # Errors
    /// [`Error::Model`] if the bank is broken or was made by another text tower.
    pub(crate) fn bank(bundle: &Bundle) -> Result<Self> {
        let read = |bytes: &[u8]| {
            let bank = Self::from_bytes(NEGATIVES, bytes)?;
            bank.check_fits(NEGATIVES, &bundle.manifest)?;
            Ok(bank)
        };
        read(&bundle.file(NEGATIVES)?).map_err(Error::in_bundle)
    }

    /// Embeds `prompts` with `tower`. Names of `bank` become negatives unless their cosine with any of the
    /// prompts exceeds `max_similarity`.
    ///
    /// # Errors
    /// Those of [`TextTower::embed`]; [`Error::Model`] if tower and bank have different dimensions.
    pub(crate) fn build(
        prompts: &[Prompt],
        tower: &TextTower,
        bank: &Self,
        max_similarity: f32,
    ) -> Result<Self> {
        let texts: Vec<String> = prompts.iter().map(|prompt| prompt.text.clone()).collect();
        let rows = tower.embed(&texts)?;
        Self::from_rows(prompts, &rows, bank, max_similarity, tower.sha256())
    }

    fn from_rows(
        prompts: &[Prompt],
        rows: &[Vec<f32>],
        bank: &Self,
        max_similarity: f32,
        text_sha256: &str,
    ) -> Result<Self> {
        let dimension = bank.embeddings.dimension();
        let mut embeddings = Embeddings::new(dimension);
        for row in rows {
            if !embeddings.push(row) {
                let found = format!("{} values per embedding", row.len());
                return Err(Error::model(TEXT, found, format!("{dimension} as in the negatives")));
            }
        }
        if embeddings.len() != prompts.len() {
            return Err(Error::bug(format!("{} embeddings of {} prompts", rows.len(), prompts.len())));
        }
        let mut negatives = Embeddings::new(dimension);
        for row in
            bank.embeddings.rows().filter(|row| !embeddings.dots(row).any(|cosine| cosine > max_similarity))
        {
            // Rows of one dimension always fit.
            let _ = negatives.push(row);
        }
        Ok(Self {
            names: prompts.iter().map(|prompt| prompt.name.as_str().into()).collect(),
            prompts: prompts.iter().map(|prompt| prompt.text.clone()).collect(),
            embeddings,
            thresholds: vec![None; prompts.len()],
            negatives,
            text_sha256: text_sha256.to_owned(),
            places: OnceLock::new(),
        })
    }

    /// Verifies that this vocabulary, called `name` in errors, was made by the text tower of the model in
    /// use.
    ///
    /// # Errors
    /// [`Error::Model`] if the embedding size or the hash of the text tower differs.
    pub(crate) fn check_fits(&self, name: &str, manifest: &Manifest) -> Result<()> {
        let unfit =
            |found: String, expected: String| Error::input(name, found, expected).with_kind(ErrorKind::Model);
        let text_sha256 = manifest.files.get(TEXT).map_or("", String::as_str);
        let dimension = self.embeddings.dimension();
        if dimension != manifest.embedding {
            let found = format!("embeddings of {dimension} values");
            let expected = format!("{} of model {}", manifest.embedding, manifest.name);
            return Err(unfit(found, expected));
        }
        if !self.text_sha256.eq_ignore_ascii_case(text_sha256) {
            let short = |hash: &str| hash.chars().take(12).collect::<String>();
            let found = format!("embeddings of text tower {}", short(&self.text_sha256));
            let (tower, model) = (short(text_sha256), &manifest.name);
            return Err(unfit(found, format!("{tower} of model {model}")));
        }
        Ok(())
    }

    /// What is printed, one per label.
    pub(crate) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// What was embedded, one per label.
    pub(crate) fn prompts(&self) -> &[String] {
        &self.prompts
    }

    /// Number of labels.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Unit-norm embeddings, one row per label.
    pub(crate) fn embeddings(&self) -> &Embeddings {
        &self.embeddings
    }

    /// Unit-norm embeddings of "none of these".
    pub(crate) fn negatives(&self) -> &Embeddings {
        &self.negatives
    }

    /// Which labels mean nearly the same.
    pub(crate) fn places(&self) -> &Places {
        self.places.get_or_init(|| Places::of(&self.embeddings))
    }

    /// Lowest score worth reporting, one per label, 0 to 1; `None` leaves it to the model.
    pub(crate) fn thresholds(&self) -> &[Option<f32>] {
        &self.thresholds
    }

    /// Lowest score worth reporting of each label: its own threshold, else `default`.
    pub(crate) fn lowest_scores(&self, default: f32) -> Vec<f32> {
        self.thresholds.iter().map(|own| own.unwrap_or(default)).collect()
    }

    /// Hash of the text tower that made the embeddings, lower-case hexadecimal.
    pub(crate) fn text_sha256(&self) -> &str {
        &self.text_sha256
    }

    /// Sets the lowest score worth reporting for `name`.
    ///
    /// # Errors
    /// [`Error::Settings`] if there is no such label, or `threshold` is outside 0 to 1.
    pub(crate) fn set_threshold(&mut self, name: &str, threshold: f32) -> Result<()> {
        if !(0.0..=1.0).contains(&threshold) {
            return Err(Error::settings("threshold", format!("{name}={threshold}"), "a number from 0 to 1"));
        }
        let label = self.names.iter().position(|other| **other == *name);
        match label.and_then(|label| self.thresholds.get_mut(label)) {
            Some(own) => {
                *own = Some(threshold);
                Ok(())
            }
            None => {
                Err(Error::settings("threshold", format!("the label \"{name}\""), "a name of the prompts"))
            }
        }
    }

    /// The label of this vocabulary that `prompt` means by its name or by its text; else `prompt` itself.
    pub(crate) fn meant(&self, prompt: &Prompt) -> Prompt {
        let name = self.names.iter().position(|name| name.eq_ignore_ascii_case(&prompt.name));
        let place = name.or_else(|| self.prompts.iter().position(|text| *text == prompt.text));
        let label = place.and_then(|place| self.names.get(place).zip(self.prompts.get(place)));
        label.map_or_else(
            || prompt.clone(),
            |(name, text)| Prompt { name: name.to_string(), text: text.clone() },
        )
    }

    /// A vocabulary of `prompts` alone, in their order; `None` if any was not embedded here.
    pub(crate) fn select(&self, prompts: &[Prompt]) -> Option<Self> {
        let place = |prompt: &Prompt| self.prompts.iter().position(|text| *text == prompt.text);
        let places = prompts.iter().map(place).collect::<Option<Vec<usize>>>()?;
        let mut embeddings = Embeddings::new(self.embeddings.dimension());
        for row in places.iter().filter_map(|place| self.embeddings.rows().nth(*place)) {
            // Rows of one dimension always fit.
            let _ = embeddings.push(row);
        }
        Some(Self {
            names: prompts.iter().map(|prompt| prompt.name.as_str().into()).collect(),
            prompts: prompts.iter().map(|prompt| prompt.text.clone()).collect(),
            embeddings,
            thresholds: vec![None; places.len()],
            negatives: self.negatives.clone(),
            text_sha256: self.text_sha256.clone(),
            places: OnceLock::new(),
        })
    }

    /// The same names with fewer alternatives: none whose cosine with one of the prompts exceeds `most`.
    pub(crate) fn without_negatives_like(mut self, most: f32) -> Self {
        let mut negatives = Embeddings::new(self.negatives.dimension());
        for row in self.negatives.rows().filter(|row| !self.embeddings.dots(row).any(|cosine| cosine > most))
        {
            // Rows of one dimension always fit.
            let _ = negatives.push(row);
        }
        self.negatives = negatives;
        self
    }

    /// The most similar other prompt of each label; `None` if there is only one label. Takes time quadratic
    /// in the number of labels.
    pub(crate) fn nearest(&self) -> Vec<Option<Neighbour>> {
        let others = |label: usize, row: &[f32]| {
            let all = self.embeddings.rows().map(|other| dot(row, other)).enumerate();
            all.filter(|(other, _)| *other != label)
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(label, similarity)| Neighbour { label, similarity })
        };
        self.embeddings.rows().enumerate().map(|(label, row)| others(label, row)).collect()
    }
}

#[cfg(test)]
#[path = "words_tests.rs"]
pub(super) mod tests;
