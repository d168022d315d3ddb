//! A vocabulary: names, what was embedded for each, and what else a region could be.

use std::sync::{Arc, OnceLock};

use super::classes::Links;
use super::embeddings::Embeddings;
use super::entry::{Entry, Kind};
use super::examples::{Evidence, Examples, Prototypes};
use super::matching::{region_scores, tag_scores};
use super::places::Places;
use super::prompts::Prompt;
use super::texts::Texts;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Bundle, Classes, ExamplePool, FeatureSpace, FeatureVector, Manifest, NEGATIVES, ScoreSettings, SpaceId,
    TEXT, TextTower,
};
use edgeclip_kernels::dot;

/// Names with the embeddings of their prompts, examples of what they look like, and the embeddings of "none of
/// these".
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vocabulary {
    /// What is printed.
    pub(super) names: Vec<Arc<str>>,
    /// How each name is used.
    pub(super) entries: Vec<Entry>,
    /// What was embedded for them.
    pub(super) texts: Texts,
    /// One row per name, of unit norm, or zeros for one without words.
    pub(super) embeddings: Embeddings,
    /// Unit norm, of the same dimension.
    pub(super) negatives: Embeddings,
    /// Hash of the text tower that made the embeddings, lower-case hexadecimal.
    pub(super) text_sha256: String,
    /// What the names look like; `None` where all have words alone.
    pub(super) examples: Option<Examples>,
    /// Compared when they are first asked for: the bank of negatives never is.
    pub(super) places: OnceLock<Places>,
    /// Packed when they are first asked for.
    pub(super) prototypes: OnceLock<Arc<Prototypes>>,
    /// Found when they are first asked for.
    pub(super) links: OnceLock<Links>,
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
        let names = prompts.iter().map(|prompt| prompt.name.as_str().into()).collect();
        let texts = prompts.iter().map(|prompt| prompt.text.clone()).collect();
        let entries = vec![Entry::default(); prompts.len()];
        let texts = Texts::each(texts, embeddings);
        Ok(Self::of_parts(names, entries, texts, negatives, text_sha256.to_owned(), None))
    }

    /// Puts together what belongs together.
    pub(super) fn of_parts(
        names: Vec<Arc<str>>,
        entries: Vec<Entry>,
        texts: Texts,
        negatives: Embeddings,
        text_sha256: String,
        examples: Option<Examples>,
    ) -> Self {
        let embeddings = texts.combined(names.len());
        let (places, prototypes, links) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self {
            names,
            entries,
            texts,
            embeddings,
            negatives,
            text_sha256,
            examples,
            places,
            prototypes,
            links,
        }
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
        let Some(examples) = &self.examples else { return Ok(()) };
        let (found, space) =
            (format!("examples of feature space {}", examples.space.short()), SpaceId::of(manifest));
        let Some(space) = space else {
            let model = &manifest.name;
            return Err(unfit(found, format!("words alone: model {model} cannot compare examples")));
        };
        if space != examples.space {
            return Err(unfit(found, format!("{} of model {}", space.short(), manifest.name)));
        }
        Ok(())
    }

    /// What is printed, one per label.
    pub(crate) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The names that are reported.
    pub(crate) fn reported(&self) -> impl Iterator<Item = &Arc<str>> {
        self.names.iter().zip(&self.entries).filter(|(_, entry)| entry.is_reported()).map(|(name, _)| name)
    }

    /// How each name is used.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The prompts of a name: none, one, or several that mean the same.
    pub(crate) fn prompts_of(&self, label: usize) -> impl Iterator<Item = &str> {
        self.texts.of(label)
    }

    /// What the names look like; `None` where all have words alone.
    pub(crate) fn examples(&self) -> Option<&Examples> {
        self.examples.as_ref()
    }

    /// What examples say of each region or picture, with the weights of `kind`; `None` where all names have
    /// words alone.
    pub(crate) fn evidence(
        &self,
        space: &FeatureSpace,
        kind: &ExamplePool,
        vectors: &[&FeatureVector],
    ) -> Option<Vec<Evidence>> {
        Some(self.prototypes(space)?.evidence(space, kind, vectors))
    }

    /// Probability of each name for the example at `index` as if it were new, by its name's other examples and its
    /// words together; `None` if there is no such example. What only zones look for has none.
    pub(crate) fn scores_without(
        &self,
        index: usize,
        space: &FeatureSpace,
        score: &ScoreSettings,
    ) -> Option<Vec<f32>> {
        let examples = self.examples.as_ref()?;
        let example = examples.rows.get(index)?;
        let whole = example.origin.rect.is_none();
        let settings = space.settings();
        let kind = if whole { &settings.picture } else { &settings.region };
        let words = self.embeddings.rows().nth(example.entry)?;
        let said = self.prototypes(space)?.evidence_without(space, kind, examples, index, words)?;
        let embedding = space.embedding(&example.vector, whole);
        Some(if whole {
            tag_scores(&embedding, self, &score.image, Some(&said))
        } else {
            // How much of an object it is counts for all names alike.
            region_scores(&embedding, 0.0, self, &score.region, Some(&said), None)
        })
    }

    /// The examples of each name, packed for products.
    pub(super) fn prototypes(&self, space: &FeatureSpace) -> Option<&Prototypes> {
        let examples = self.examples.as_ref()?;
        let of = || Arc::new(Prototypes::of(examples, &self.embeddings, space));
        Some(self.prototypes.get_or_init(of))
    }

    /// Number of labels.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Unit-norm embeddings, one row per label; zeros for one without words.
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

    /// Which labels mean nearly the same as a class of the detector.
    pub(crate) fn links(&self, classes: &Classes) -> &Links {
        self.links.get_or_init(|| Links::of(&self.embeddings, classes.embeddings(), classes.settings().ramp))
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
        match self.position(name).and_then(|label| self.entries.get_mut(label)) {
            Some(entry) => {
                entry.threshold = Some(threshold);
                Ok(())
            }
            None => {
                Err(Error::settings("threshold", format!("the label \"{name}\""), "a name of the prompts"))
            }
        }
    }

    /// The entry of this vocabulary that `prompt` means by its name or by its text; else `prompt` itself.
    pub(crate) fn meant(&self, prompt: &Prompt) -> Prompt {
        let name = self.names.iter().position(|name| name.eq_ignore_ascii_case(&prompt.name));
        let text = || self.texts.prompts.iter().position(|text| *text == prompt.text);
        let entry = name.or_else(|| self.texts.entries.get(text()?).copied());
        let Some((entry, name)) = entry.and_then(|entry| Some((entry, self.names.get(entry)?))) else {
            return prompt.clone();
        };
        let text = self.texts.of(entry).next().unwrap_or(name);
        Prompt { name: name.to_string(), text: text.to_owned() }
    }

    /// The entries whose words `prompts` are, or which they name and which have examples, under the names of the
    /// prompts and in their order; `None` if there is not one for each.
    pub(crate) fn select(&self, prompts: &[Prompt]) -> Option<Self> {
        let word = |text: &str| {
            let place = self.texts.prompts.iter().position(|prompt| *prompt == text)?;
            self.texts.entries.get(place).copied()
        };
        let name = |text: &str| {
            let examples = self.examples.as_ref()?;
            self.position(text).filter(|entry| examples.of(*entry).next().is_some())
        };
        let place = |prompt: &Prompt| word(&prompt.text).or_else(|| name(&prompt.text));
        let places = prompts.iter().map(place).collect::<Option<Vec<usize>>>()?;
        let to = |from: usize| places.iter().position(|place| *place == from);
        Some(Self::of_parts(
            prompts.iter().map(|prompt| prompt.name.as_str().into()).collect(),
            vec![Entry::default(); places.len()],
            self.texts.moved(to),
            self.negatives.clone(),
            self.text_sha256.clone(),
            self.examples.as_ref().and_then(|examples| examples.moved(to)),
        ))
    }

    /// Whether there is more than one prompt for each name.
    pub(crate) fn is_taught(&self) -> bool {
        self.examples.is_some()
            || !self.texts.is_plain(self.names.len())
            || self.entries.iter().any(|entry| entry.hidden || entry.kind != Kind::Thing)
    }

    /// The place of a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| **other == *name)
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
            let all = self.embeddings.rows().map(|other| dot::of_floats(row, other)).enumerate();
            all.filter(|(other, similarity)| *other != label && *similarity != 0.0)
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(label, similarity)| Neighbour { label, similarity })
        };
        self.embeddings.rows().enumerate().map(|(label, row)| others(label, row)).collect()
    }
}

#[cfg(test)]
#[path = "words_tests.rs"]
pub(super) mod tests;
