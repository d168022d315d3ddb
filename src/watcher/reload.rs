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
use crate::surfaces::{Command, Inventory, Label, Listener, Obey, WatchedSource};
use crate::system::start_thread;
use crate::vocabulary::Entry;

/// Makes plans and sends them to the loop.
pub(crate) struct Reload {
    /// As the configuration has them.
    settings: Settings,
    planner: Planner,
    plans: Sender<Plan>,
    names: Vec<Arc<str>>,
    /// Which sources are looked at.
    switches: Arc<[AtomicBool]>,
    listener: Option<Listener>,
    commanded: Commanded,
}

/// What commands have changed; it holds until the end of the program.
#[derive(Debug, Clone, Default)]
struct Commanded {
    prompts: Option<Vec<String>>,
    vocab: Option<PathBuf>,
    thresholds: BTreeMap<String, f32>,
}

impl Reload {
    /// For a session that runs by `settings`, with sources by these names.
    pub(super) fn new(
        settings: Settings,
        planner: Planner,
        plans: Sender<Plan>,
        names: Vec<Arc<str>>,
        switches: Arc<[AtomicBool]>,
        listener: Option<Listener>,
    ) -> Self {
        Self { settings, planner, plans, names, switches, listener, commanded: Commanded::default() }
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

    /// Has commands obeyed, one after the other, on a thread of its own.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn obey(reload: &Arc<Mutex<Self>>) -> Result<Obey> {
        let (sender, commands) = channel();
        let reload = Arc::clone(reload);
        start_thread("commands", move || {
            for command in commands {
                reload.lock().unwrap_or_else(PoisonError::into_inner).command(command);
            }
        })?;
        // Nobody receives any more when the program ends.
        Ok(Box::new(move |command| drop(sender.send(command))))
    }

    fn command(&mut self, command: Command) {
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
        }
        if let Err(error) = self.plan() {
            self.commanded = before;
            self.listener.iter().for_each(|listener| listener.refused(&error.to_string()));
        }
    }

    fn plan(&mut self) -> Result<()> {
        let settings = self.commanded.applied(&self.settings);
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
        let Some(listener) = &self.listener else { return };
        listener.planned(self.inventory(plan));
    }

    fn inventory(&self, plan: &Plan) -> Inventory {
        let names = plan.vocabulary.names().iter();
        let labels = names.zip(plan.vocabulary.entries()).enumerate();
        let threshold = |label: usize, entry: &Entry| match entry.has_boxes() {
            true => plan.thresholds.of_box(label),
            false => plan.thresholds.of_tag(label),
        };
        let labels: Vec<Label> = labels
            .filter(|(_, (_, entry))| entry.is_reported())
            .map(|(label, (name, entry))| Label {
                name: Arc::clone(name),
                has_boxes: entry.has_boxes(),
                threshold: threshold(label, entry),
            })
            .collect();
        let joined = || labels.iter().map(|label| &*label.name).collect::<Vec<_>>().join(", ");
        let settings = self.commanded.applied(&self.settings);
        let vocabulary = settings.vocab.as_deref().and_then(Path::file_name);
        let vocabulary = vocabulary.map(|name| name.to_string_lossy().into_owned());
        let prompts = settings.prompt.map(|prompts| match prompts {
            Prompts::List(list) if list.trim_start().starts_with('@') => joined(),
            Prompts::List(list) => list,
            Prompts::Each(items) => items.join(", "),
        });
        let sources = self.names.iter().zip(&plan.events).zip(self.switches.iter());
        let sources = sources.map(|((name, events), on)| WatchedSource {
            name: Arc::clone(name),
            events: events.clone(),
            on: on.load(Ordering::Relaxed),
        });
        Inventory {
            prompts,
            vocabulary,
            labels,
            sources: sources.collect(),
            model: self.planner.model().to_owned(),
        }
    }
}

impl Commanded {
    fn applied(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        if let Some(items) = &self.prompts {
            (settings.prompt, settings.vocab) = (Some(Prompts::Each(items.clone())), None);
        } else if let Some(file) = &self.vocab {
            (settings.prompt, settings.vocab) = (None, Some(file.clone()));
        }
        for label in &mut settings.label {
            label.threshold = self.thresholds.get(&label.name).copied().or(label.threshold);
        }
        settings
    }
}
