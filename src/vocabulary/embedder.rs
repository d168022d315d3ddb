//! From prompts to vocabularies.

use super::prompts::Prompt;
use super::words::Vocabulary;
use crate::error::Result;
use crate::model::{Bundle, TextTower};

/// Embeds prompts with a bundle's text tower. Tower and negatives are loaded when they are first needed.
pub(crate) struct Embedder {
    bundle: Bundle,
    bank: Option<Vocabulary>,
    tower: Option<TextTower>,
}

impl Embedder {
    /// An embedder of `bundle`, which loads nothing yet.
    pub(crate) fn new(bundle: Bundle) -> Self {
        Self { bundle, bank: None, tower: None }
    }

    /// The bundle.
    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Takes over a text tower that is loaded already.
    pub(crate) fn set_tower(&mut self, tower: Option<TextTower>) {
        self.tower = tower;
    }

    /// Drops the text tower, which takes most of the memory; it is loaded again when it is next needed.
    pub(crate) fn drop_tower(&mut self) {
        self.tower = None;
    }

    /// The text tower.
    ///
    /// # Errors
    /// Those of [`TextTower::load`].
    pub(crate) fn tower(&mut self) -> Result<&TextTower> {
        let tower = match self.tower.take() {
            Some(tower) => tower,
            None => TextTower::load(&self.bundle)?,
        };
        Ok(self.tower.insert(tower))
    }

    /// The bundle's bank of everyday names.
    ///
    /// # Errors
    /// Those of [`Vocabulary::bank`].
    pub(super) fn bank(&mut self) -> Result<&Vocabulary> {
        let bank = match self.bank.take() {
            Some(bank) => bank,
            None => Vocabulary::bank(&self.bundle)?,
        };
        Ok(self.bank.insert(bank))
    }

    /// The vocabulary of `prompts`, with negatives from the bundle's bank of everyday names.
    ///
    /// # Errors
    /// Those of [`Vocabulary::bank`], [`TextTower::load`] and [`Vocabulary::build`].
    pub(crate) fn embed(&mut self, prompts: &[Prompt]) -> Result<Vocabulary> {
        let bank = match self.bank.take() {
            Some(bank) => bank,
            None => Vocabulary::bank(&self.bundle)?,
        };
        let max_similarity = self.bundle.manifest.score.max_similarity;
        let vocabulary =
            self.tower().and_then(|tower| Vocabulary::build(prompts, tower, &bank, max_similarity));
        self.bank = Some(bank);
        vocabulary
    }
}
