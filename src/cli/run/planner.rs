//! From settings to a plan, at the start and at every reload.

use super::super::model::networks;
use super::super::words::Words;
use crate::config::Settings;
use crate::error::Result;
use crate::model::Bundle;
use crate::pipeline::{Pipeline, Plan};
use crate::system::trim_heap;
use crate::vocabulary::{Embedder, Prompt, Vocabulary};

/// Most vocabularies that are kept: each takes some hundred kilobytes, and a file may be changed for years.
const KNOWN: usize = 16;

/// Makes plans. The text tower is dropped once they are made, and loaded again only for new words.
pub struct Planner {
    embedder: Embedder,
    /// The latest vocabularies, by their prompts.
    known: Vec<(Vec<Prompt>, Vocabulary)>,
}

impl Planner {
    /// A planner for a model.
    pub fn new(bundle: Bundle) -> Self {
        Self { embedder: Embedder::new(bundle), known: Vec::new() }
    }

    /// Loads the networks, and plans with their text tower if there are words to embed.
    ///
    /// # Errors
    /// The model, or same as [`Planner::plan`].
    pub fn start(&mut self, settings: &Settings, threads: usize) -> Result<(Pipeline, Plan)> {
        let words = words(settings)?;
        let bundle = self.embedder.bundle();
        let manifest = bundle.manifest.clone();
        let mut networks = networks(bundle, words.need_text(), threads)?;
        self.embedder.set_tower(networks.text.take());
        Ok((Pipeline::new(networks, manifest), self.plan(settings)?))
    }

    /// Plans; loads the text tower if there are new words.
    ///
    /// # Errors
    /// Prompts, vocabulary file or zones cannot be used.
    pub fn plan(&mut self, settings: &Settings) -> Result<Plan> {
        let plan = self.plan_with_tower(settings);
        self.embedder.drop_tower();
        trim_heap();
        plan
    }

    fn plan_with_tower(&mut self, settings: &Settings) -> Result<Plan> {
        let words = words(settings)?;
        let manifest = self.embedder.bundle().manifest.clone();
        let vocabulary = words.vocabulary(&manifest, |prompts| self.embed(prompts))?;
        let words = vocabulary.clone();
        let states = |prompts: &[Prompt]| words.select(prompts).map_or_else(|| self.embed(prompts), Ok);
        Plan::new(settings, vocabulary, manifest.score.threshold, states)
    }

    fn embed(&mut self, prompts: &[Prompt]) -> Result<Vocabulary> {
        if let Some((_, vocabulary)) = self.known.iter().find(|(other, _)| other == prompts) {
            return Ok(vocabulary.clone());
        }
        let vocabulary = self.embedder.embed(prompts)?;
        if self.known.len() == KNOWN {
            self.known.remove(0);
        }
        self.known.push((prompts.to_vec(), vocabulary.clone()));
        Ok(vocabulary)
    }
}

fn words(settings: &Settings) -> Result<Words> {
    Words::choose("run", settings.prompt.as_ref(), settings.vocab.as_deref())
}
