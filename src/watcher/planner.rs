//! From settings to a plan, at the start and at every reload.

use crate::config::Settings;
use crate::error::{Error, Result};
use crate::model::{Bundle, Networks};
use crate::pipeline::{Blur, Pipeline, Plan, Words, float_warning, hidden_words};
use crate::report::VectorSpace;
use crate::system::trim_heap;
use crate::vocabulary::{Embedder, Lesson, Prompt, Vocabulary};

/// Most vocabularies that are kept: each takes some hundred kilobytes, and a file may be changed for years.
const KNOWN: usize = 16;

/// Makes plans. The text tower is dropped once they are made, and loaded again only for new words.
pub(crate) struct Planner {
    embedder: Embedder,
    /// The latest vocabularies, by their prompts.
    known: Vec<(Vec<Prompt>, Vocabulary)>,
    /// What it was taught besides.
    lessons: Vec<Lesson>,
    /// All that it knows, if it was taught anything.
    taught: Option<Vocabulary>,
    /// The last warning about prompts, which is not repeated.
    told: Option<String>,
}

/// What a watch begins with.
pub(crate) struct Beginning {
    /// The networks that look.
    pub pipeline: Pipeline,
    /// The first plan.
    pub plan: Plan,
    /// What there is to say of the model, such as that it runs in float.
    pub warning: Option<String>,
}

impl Planner {
    /// A planner for a model.
    pub(crate) fn new(bundle: Bundle) -> Self {
        Self {
            embedder: Embedder::new(bundle),
            known: Vec::new(),
            lessons: Vec::new(),
            taught: None,
            told: None,
        }
    }

    /// Loads the networks, and plans with their text tower if there are words to embed.
    ///
    /// # Errors
    /// The model, or same as [`Planner::plan`].
    pub(crate) fn start(&mut self, settings: &Settings, threads: usize) -> Result<Beginning> {
        let words = words(settings)?;
        let bundle = self.embedder.bundle();
        let manifest = bundle.manifest.clone();
        let mut networks = Networks::load(bundle, words.need_text(), threads)?;
        let warning = float_warning(&networks.vision);
        self.embedder.set_tower(networks.text.take());
        Ok(Beginning { pipeline: Pipeline::new(networks, manifest), plan: self.plan(settings)?, warning })
    }

    /// Plans; loads the text tower if there are new words.
    ///
    /// # Errors
    /// Prompts, vocabulary file or zones cannot be used.
    pub(crate) fn plan(&mut self, settings: &Settings) -> Result<Plan> {
        let plan = self.plan_with_tower(settings);
        self.embedder.drop_tower();
        trim_heap();
        plan
    }

    fn plan_with_tower(&mut self, settings: &Settings) -> Result<Plan> {
        let words = words(settings)?;
        let manifest = self.embedder.bundle().manifest.clone();
        let mut vocabulary = words.vocabulary(&manifest, |prompts| self.embed(prompts))?;
        self.embedder.teach(&mut vocabulary, &self.lessons)?;
        self.taught = (!self.lessons.is_empty()).then(|| vocabulary.clone());
        let warning = vocabulary.ambiguity();
        if let Some(warning) = warning.as_ref().filter(|warning| self.told.as_ref() != Some(warning)) {
            tracing::warn!("{warning}");
        }
        self.told = warning;
        let words = vocabulary.clone();
        let blur = settings.blur.as_ref().map(|blur| {
            let prompts = hidden_words(blur)?;
            Blur::new(&prompts, settings.blur_threshold, &vocabulary, |prompts| self.embed(prompts))
        });
        let blur = blur.transpose()?;
        let states = |prompts: &[Prompt]| words.select(prompts).map_or_else(|| self.embed(prompts), Ok);
        Plan::new(settings, vocabulary, blur, &manifest.score, states)
    }

    /// What is known besides the settings.
    #[cfg(feature = "serve")]
    pub(crate) fn lessons(&mut self) -> &mut Vec<Lesson> {
        &mut self.lessons
    }

    /// All that is looked for, if some of it was taught.
    pub(crate) fn taught(&self) -> Option<&Vocabulary> {
        self.taught.as_ref()
    }

    /// What embeds texts. Whoever has used it lets go of the tower.
    #[cfg(feature = "serve")]
    pub(crate) fn embedder(&mut self) -> &mut Embedder {
        &mut self.embedder
    }

    /// The model's name.
    pub(crate) fn model(&self) -> &str {
        &self.embedder.bundle().manifest.name
    }

    /// What tells its vectors from those of other models.
    pub(crate) fn space(&self) -> String {
        VectorSpace::of(&self.embedder.bundle().manifest).digits()
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
    let words = Words::choose(settings.prompt.as_ref(), settings.vocab.as_deref())?;
    words.ok_or_else(|| Error::settings("prompt", "nothing to look for", "prompts or a vocabulary file"))
}
