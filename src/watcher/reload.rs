//! Changes of what a running session looks for: by its configuration, and by commands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::planner::Planner;
use crate::config::{Prompts, Settings};
use crate::error::Result;
use crate::pipeline::Plan;
use crate::privacy::Mask;
use crate::surfaces::{Command, Heard, Inventory, Label, Listener, Obey, Places, WatchedSource};
use crate::system::start_thread;
use crate::vocabulary::Entry;

/// Something that is done where plans are made.
pub(super) type Errand = Box<dyn FnOnce(&mut Reload) + Send>;

/// Makes plans and sends them to the loop.
pub(crate) struct Reload {
    /// As the configuration has them.
    pub(super) settings: Settings,
    pub(super) planner: Planner,
    plans: Sender<Plan>,
    names: Vec<Arc<str>>,
    /// Which sources are looked at.
    switches: Arc<[AtomicBool]>,
    listener: Listener,
    /// The file that the settings are from.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "nothing is saved"))]
    pub(super) config: Option<PathBuf>,
    pub(super) commanded: Commanded,
}

/// What commands have changed; it holds until the end of the program.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Commanded {
    pub prompts: Option<Vec<String>>,
    pub vocab: Option<PathBuf>,
    pub thresholds: BTreeMap<String, f32>,
    /// By the place of the source.
    pub places: BTreeMap<usize, Places>,
}

impl Reload {
    /// For a session that runs by `settings`, with sources by these names.
    pub(super) fn new(
        settings: Settings,
        planner: Planner,
        plans: Sender<Plan>,
        names: Vec<Arc<str>>,
        switches: Arc<[AtomicBool]>,
        listener: Listener,
        config: Option<PathBuf>,
    ) -> Self {
        Self { settings, planner, plans, names, switches, listener, config, commanded: Commanded::default() }
    }

    /// Looks for what the changed configuration says; what commands have changed still holds.
    ///
    /// # Errors
    /// Prompts, vocabulary file or zones cannot be used; what was looked for before still is.
    pub(crate) fn renew(&mut self, settings: Settings) -> Result<()> {
        let before = std::mem::replace(&mut self.settings, settings);
        self.plan().inspect_err(|_| self.settings = before)
    }

    /// Tells listeners of the plan that the session has begun with.
    pub(super) fn begun(&self, plan: &Plan) {
        self.tell(plan);
    }

    /// Has commands obeyed and errands run, one after the other, on a thread of their own.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn obey(reload: &Arc<Mutex<Self>>) -> Result<(Obey, Sender<Errand>)> {
        let (sender, errands) = channel::<Errand>();
        let reload = Arc::clone(reload);
        start_thread("commands", move || {
            for errand in errands {
                errand(&mut reload.lock().unwrap_or_else(PoisonError::into_inner));
            }
        })?;
        let work = sender.clone();
        let obey: Obey = Arc::new(move |command, heard: Heard| {
            // Nobody receives any more when the program ends.
            drop(sender.send(Box::new(|reload: &mut Self| heard(reload.command(command)))));
        });
        Ok((obey, work))
    }

    fn command(&mut self, command: Command) -> Result<()> {
        let before = self.commanded.clone();
        match command {
            Command::Prompts(text) => {
                // Items, never the name of a file.
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned);
                self.commanded.prompts =
                    Some(items.collect()).filter(|items: &Vec<String>| !items.is_empty());
            }
            Command::Vocabulary(name) => {
                let beside = self.settings.vocab.as_ref().filter(|_| !name.is_empty());
                self.commanded.vocab = beside.map(|file| file.with_file_name(name));
                self.commanded.prompts = None;
            }
            Command::Threshold { label, score } => {
                self.commanded.thresholds.insert(label, score);
            }
            Command::Detect { source, on } => {
                if let Some(switch) = self.switches.get(source) {
                    switch.store(on, Ordering::Relaxed);
                }
            }
            Command::Places { source, places } => {
                let Places { zones, lines, masks } = places;
                let of = self.commanded.places.entry(source).or_default();
                of.zones = zones.or(of.zones.take());
                of.lines = lines.or(of.lines.take());
                of.masks = masks.or(of.masks.take());
            }
        }
        self.plan().inspect_err(|_| self.commanded = before)
    }

    /// Plans anew, and tells of it.
    ///
    /// # Errors
    /// Same as [`Reload::renew`].
    pub(super) fn plan(&mut self) -> Result<()> {
        let settings = self.commanded.applied(&self.settings);
        settings.check()?;
        let mut plan = self.planner.plan(&settings)?;
        for (label, name) in plan.vocabulary.names().iter().enumerate() {
            if let Some(lowest) = self.commanded.thresholds.get(&**name) {
                plan.thresholds.set(label, *lowest);
            }
        }
        self.tell(&plan);
        // The receiver is gone only when the program ends.
        let _ = self.plans.send(plan);
        Ok(())
    }

    fn tell(&self, plan: &Plan) {
        self.listener.planned(&self.inventory(plan));
    }

    fn inventory(&self, plan: &Plan) -> Inventory {
        let names = plan.vocabulary.names().iter();
        let labels = names.zip(plan.vocabulary.entries()).enumerate();
        let threshold = |label: usize, entry: &Entry| match entry.has_boxes() {
            true => plan.thresholds.of_box(label),
            false => plan.thresholds.of_tag(label),
        };
        let examples = |label: usize| {
            let all = plan.vocabulary.examples();
            all.map_or(0, |all| all.of(label).filter(|example| !example.counter).count())
        };
        let labels: Vec<Label> = labels
            .filter(|(_, (_, entry))| entry.is_reported())
            .map(|(label, (name, entry))| Label {
                name: Arc::clone(name),
                has_boxes: entry.has_boxes(),
                threshold: threshold(label, entry),
                examples: examples(label),
            })
            .collect();
        let joined = || labels.iter().map(|label| &*label.name).collect::<Vec<_>>().join(", ");
        let settings = self.commanded.applied(&self.settings);
        let vocabulary = settings.vocab.as_deref().and_then(Path::file_name);
        let vocabulary = vocabulary.map(|name| name.to_string_lossy().into_owned());
        let masks: Vec<Vec<Mask>> = settings.source.iter().map(|source| source.mask.clone()).collect();
        let prompts = settings.prompt.map(|prompts| match prompts {
            Prompts::List(list) if list.trim_start().starts_with('@') => joined(),
            Prompts::List(list) => list,
            Prompts::Each(items) => items.join(", "),
        });
        let sources = self.names.iter().zip(&plan.events).zip(self.switches.iter()).zip(masks);
        let sources = sources.map(|(((name, events), on), masks)| WatchedSource {
            name: Arc::clone(name),
            events: events.clone(),
            masks,
            on: on.load(Ordering::Relaxed),
        });
        Inventory {
            prompts,
            vocabulary,
            labels,
            sources: sources.collect(),
            model: self.planner.model().to_owned(),
            unsaved: self.commanded != Commanded::default() || self.planner.taught().is_some(),
            space: self.planner.space(),
        }
    }
}

impl Commanded {
    /// The settings with what commands have changed.
    pub(super) fn applied(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        if let Some(items) = &self.prompts {
            (settings.prompt, settings.vocab) = (Some(Prompts::Each(items.clone())), None);
        } else if let Some(file) = &self.vocab {
            (settings.prompt, settings.vocab) = (None, Some(file.clone()));
        }
        if !self.places.is_empty() {
            // What all sources share would come back where the last of a source's own has gone.
            let shared = (std::mem::take(&mut settings.zone), std::mem::take(&mut settings.line));
            for source in settings.source.iter_mut().filter(|own| own.zone.is_empty() && own.line.is_empty())
            {
                (source.zone, source.line) = shared.clone();
            }
        }
        for (source, places) in &self.places {
            let Some(source) = settings.source.get_mut(*source) else { continue };
            places.zones.iter().for_each(|zones| source.zone.clone_from(zones));
            places.lines.iter().for_each(|lines| source.line.clone_from(lines));
            places.masks.iter().for_each(|masks| source.mask.clone_from(masks));
        }
        for label in &mut settings.label {
            label.threshold = self.thresholds.get(&label.name).copied().or(label.threshold);
        }
        settings
    }
}
