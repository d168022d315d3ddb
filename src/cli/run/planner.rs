//! From settings to a plan, at the start and at every reload.

use std::sync::{Mutex, PoisonError};

use crate::config::{Prompts, Settings};
use crate::error::{Error, Result};
use crate::model::{Bundle, Networks, TextTower};
use crate::pipeline::{Pipeline, Plan};
use crate::system::give_back;
use crate::vocabulary::{Prompt, Vocabulary};

use super::super::model::networks;

/// Vocabularies that are kept: each is of some hundred kilobytes, and a file may be changed for years.
const KNOWN: usize = 16;

/// Makes plans. The text tower is given up once they are made, and loaded again only for new words.
pub struct Planner {
    bundle: Bundle,
    bank: Vocabulary,
    /// Vocabularies made last, by their prompts.
    known: Mutex<Vec<(Vec<Prompt>, Vocabulary)>>,
}

impl Planner {
    /// A planner for a model.
    ///
    /// # Errors
    /// The bundle's bank of names is broken.
    pub fn new(bundle: Bundle) -> Result<Self> {
        let bank = Vocabulary::bank(&bundle)?;
        Ok(Self { bundle, bank, known: Mutex::default() })
    }

    /// Loads the networks, and plans with their text tower if there are words to embed.
    ///
    /// # Errors
    /// The model, or as of [`Planner::plan`].
    pub fn start(&self, settings: &Settings, threads: usize) -> Result<(Pipeline, Plan)> {
        let with_text = settings.vocab.is_none();
        let mut networks: Networks = networks(&self.bundle, with_text, threads)?;
        let text = networks.text.take();
        let pipeline = Pipeline::new(networks, self.bundle.manifest.clone());
        let plan = self.plan_with(settings, text)?;
        give_back();
        Ok((pipeline, plan))
    }

    /// Plans; loads the text tower if there are new words.
    ///
    /// # Errors
    /// Prompts, vocabulary file or zones cannot be used.
    pub fn plan(&self, settings: &Settings) -> Result<Plan> {
        let plan = self.plan_with(settings, None);
        give_back();
        plan
    }

    fn plan_with(&self, settings: &Settings, tower: Option<TextTower>) -> Result<Plan> {
        let tower = Mutex::new(tower);
        let vocabulary = match (&settings.prompt, &settings.vocab) {
            (Some(prompts), None) => self.embed(&parse(prompts)?, &tower)?,
            (None, Some(file)) => {
                let vocabulary = Vocabulary::open(file)?;
                vocabulary.check_fits(&file.display().to_string(), &self.bundle.manifest)?;
                vocabulary
            }
            (Some(_), Some(_)) => return Err(Error::input("run", "both prompt and vocab", "one of them")),
            (None, None) => {
                let expected = "for example --prompt \"person, dog, red bus\" or --vocab FILE";
                return Err(Error::input("run", "nothing to look for", expected));
            }
        };
        let threshold = self.bundle.manifest.score.threshold;
        let words = vocabulary.clone();
        let states =
            |prompts: &[Prompt]| words.select(prompts).map_or_else(|| self.embed(prompts, &tower), Ok);
        Plan::new(settings, vocabulary, threshold, states)
    }

    fn embed(&self, prompts: &[Prompt], tower: &Mutex<Option<TextTower>>) -> Result<Vocabulary> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, vocabulary)) = known.iter().find(|(other, _)| other == prompts) {
            return Ok(vocabulary.clone());
        }
        let mut tower = tower.lock().unwrap_or_else(PoisonError::into_inner);
        let tower = match &mut *tower {
            Some(tower) => tower,
            none => none.insert(TextTower::load(&self.bundle)?),
        };
        let similarity = self.bundle.manifest.score.max_similarity;
        let vocabulary = Vocabulary::build(prompts, tower, &self.bank, similarity)?;
        if known.len() == KNOWN {
            known.remove(0);
        }
        known.push((prompts.to_vec(), vocabulary.clone()));
        Ok(vocabulary)
    }
}

fn parse(prompts: &Prompts) -> Result<Vec<Prompt>> {
    match prompts {
        Prompts::List(list) => Prompt::parse(list),
        Prompts::Each(each) => Prompt::each("prompt", each),
    }
}
