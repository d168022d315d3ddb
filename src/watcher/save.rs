//! What a running session learns, and how that and what commands have changed is saved.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::reload::Reload;
use crate::config::{ChangedPlaces, Changes, edited, parse, resolve};
use crate::error::{Error, ErrorKind, Result, shown_address};
use crate::events::Label;
use crate::sinks::{AtomicFile, PUBLIC};
use crate::source::shown;
use crate::surfaces::{Places, Saved};
use crate::system::Folder;
use crate::vocabulary::{Embedder, Lesson, Vocabulary};

/// What was taught is saved in this file, beside the configuration, if that names no vocabulary.
const LEARNED: &str = "learned.vocab.safetensors";

impl Reload {
    /// What embeds texts, and where what was seen is kept.
    pub(super) fn embedder(&mut self) -> (&mut Embedder, Option<&Path>) {
        (self.planner.embedder(), self.settings.history.as_deref())
    }

    /// Learns these at once, or nothing.
    ///
    /// # Errors
    /// One of them contradicts what is known.
    pub(super) fn learn(&mut self, lessons: Vec<Lesson>) -> Result<()> {
        let before = self.planner.lessons().len();
        self.planner.lessons().extend(lessons);
        self.plan().inspect_err(|_| self.planner.lessons().truncate(before))
    }

    /// The settings as they are now, without passwords in addresses.
    pub(super) fn configuration(&self) -> Result<String> {
        let mut settings = self.commanded.applied(&self.settings);
        settings.source.iter_mut().for_each(|source| source.url = shown(&source.url));
        settings.mqtt.iter_mut().for_each(|mqtt| mqtt.url = shown_address(&mqtt.url));
        let of_rules = settings.notify.iter_mut().filter_map(|rule| rule.url.as_mut());
        of_rules.for_each(|url| *url = shown_address(url));
        toml::to_string_pretty(&settings).map_err(|error| Error::bug(error.to_string()))
    }

    /// Saves what commands have changed and what was taught; with `agreed`, also where that replaces something.
    ///
    /// # Errors
    /// There is no configuration file, or it cannot be changed or written.
    pub(super) fn save(&mut self, agreed: bool) -> Result<Saved> {
        let Some(config) = self.config.clone() else {
            return Err(Error::settings("save", "no configuration file", "edgeclip run --config FILE"));
        };
        let name = config.display().to_string();
        let text = read_text(&config)?;
        let vocabulary = self.planner.taught().map(Vocabulary::to_bytes).transpose()?;
        let own = self.commanded.vocab.as_ref().or(self
            .settings
            .vocab
            .as_ref()
            .filter(|_| self.commanded.prompts.is_none()));
        let learned = own.cloned().unwrap_or_else(|| config.with_file_name(LEARNED));
        let vocab = match &vocabulary {
            Some(_) => Some(&learned),
            None => self.commanded.vocab.as_ref(),
        };
        let thresholds = self.commanded.thresholds.iter().map(|(label, score)| (label.as_str(), *score));
        let places = self.commanded.places.iter().filter_map(|(source, places)| {
            let Places { zones, lines, masks } = places;
            let changed =
                ChangedPlaces { zones: zones.as_deref(), lines: lines.as_deref(), masks: masks.as_deref() };
            Some((self.settings.source.get(*source)?.url.as_str(), changed))
        });
        // A source without zones and lines of its own has those of all, which would come back.
        let is_bare = |source: &usize| {
            let applied = self.commanded.applied(&self.settings);
            applied.source.get(*source).is_some_and(|own| own.zone.is_empty() && own.line.is_empty())
        };
        let shared = !self.settings.zone.is_empty() || !self.settings.line.is_empty();
        if shared && self.commanded.places.keys().any(is_bare) {
            let found = "a source without zones and lines beside those of all sources";
            let expected = "[[source.zone]] and [[source.line]] in place of [[zone]] and [[line]]";
            return Err(Error::settings(&name, found, expected));
        }
        let changes = Changes {
            prompts: self.commanded.prompts.as_deref().filter(|_| vocab.is_none()),
            vocab: vocab.filter(|vocab| Some(*vocab) != self.settings.vocab.as_ref()).map(PathBuf::as_path),
            thresholds: thresholds.collect(),
            places: places.collect(),
        };
        let (after, keys) = edited(&name, &text, &changes)?;
        let mut files: Vec<String> = vocabulary.iter().map(|_| learned.display().to_string()).collect();
        files.extend((after != text).then(|| name.clone()));
        let saved = Saved { files, keys, done: agreed };
        if !agreed || saved.files.is_empty() {
            return Ok(Saved { done: saved.files.is_empty(), ..saved });
        }
        // What it would do is checked before anything is written.
        resolve(parse(&name, &after)?)?;
        if let Some(bytes) = &vocabulary {
            replace(&learned, bytes)?;
        }
        if after != text {
            replace(&config, after.as_bytes())?;
        }
        let vocab = vocab.cloned();
        self.settings = self.commanded.applied(&self.settings);
        if let Some(vocab) = vocab {
            (self.settings.prompt, self.settings.vocab) = (None, Some(vocab));
        }
        // Of the thresholds, labels that have no section of their own know nothing yet.
        let thresholds = std::mem::take(&mut self.commanded).thresholds;
        for (name, score) in thresholds {
            match self.settings.label.iter_mut().find(|label| label.name == name) {
                Some(label) => label.threshold = Some(score),
                None => self.settings.label.push(Label { name, threshold: Some(score), min_area: 0.0 }),
            }
        }
        self.planner.lessons().clear();
        self.plan()?;
        Ok(saved)
    }
}

/// The text of a small file.
fn read_text(file: &Path) -> Result<String> {
    let refuse = |error| Error::io(ErrorKind::Settings, file.display().to_string(), error);
    fs::read_to_string(file).map_err(refuse)
}

/// Replaces a file; what was there is kept beside it, with `.before` behind its name.
fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    let refuse = |error| Error::io(ErrorKind::Device, file.display().to_string(), error);
    // A link stays one.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let Some(name) = file.file_name() else {
        return Err(Error::settings(file.display().to_string(), "no name", "a file"));
    };
    let folder = Folder::open(file.parent().unwrap_or(Path::new(""))).map_err(refuse)?;
    let mode = fs::metadata(&file).map_or(PUBLIC, |about| about.permissions().mode() & 0o777);
    if let Ok(before) = fs::read(&file) {
        let mut kept = name.to_owned();
        kept.push(".before");
        AtomicFile::write(&folder, &before, mode, true)
            .and_then(|kept_file| kept_file.replace(&kept))
            .map_err(refuse)?;
    }
    AtomicFile::write(&folder, bytes, mode, true).and_then(|written| written.replace(name)).map_err(refuse)
}
