//! Every setting of `edgeclip run`, with its default.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::http::Http;
use super::look::Look;
use super::mqtt::Mqtt;
use super::notify::Notify;
use super::source::SourceSettings;
use super::values::{BLUR_THRESHOLD, Format, Prompts, Target};
use crate::error::{Error, Result};
use crate::events::EventKind;
use crate::privacy::Mask;
use crate::report::ShownBoxes;
use crate::{events, track};

/// Settings of `edgeclip run`. Keys that are tables come last, as TOML requires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// What to look for: a comma list, `@FILE`, or a list of strings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Prompts>,
    /// What to look for: a vocabulary file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocab: Option<PathBuf>,
    /// What is pixelated in every picture: a comma list, `@FILE`, or a list of strings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blur: Option<Prompts>,
    /// Lowest score of what is pixelated, 0 to 1.
    pub blur_threshold: f32,
    /// Lowest score to report for all labels, 0 to 1; else the label's own, else the model's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// The same for tags of the whole picture, in place of `threshold`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_threshold: Option<f32>,
    /// Folder of a model bundle; else the model inside the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<PathBuf>,
    /// Threads of the vision network, 1 to 256; else one per physical core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<u16>,
    /// Most megabytes that a picture may take while it is decoded, 1 to 1,000,000; else half of the memory that is
    /// available at the start, 16 to 400.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_picture_mb: Option<u64>,
    /// How often to look at each source.
    pub fps: Target,
    /// Send frames between two looks to the outputs as well, with predicted tracks.
    pub every_frame: bool,
    /// Skip frames in which nothing has moved since the last look.
    pub skip_still: bool,
    /// Temperature above which the rate is lowered, in degrees Celsius, 30 to 120.
    pub max_celsius: f32,
    /// End after this many looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frames: Option<u64>,
    /// What goes to standard output.
    pub format: Format,
    /// Write events only to standard output and the CSV file, no frames.
    pub events_only: bool,
    /// Seconds between two lines of status on standard output; 0 for none.
    pub status: f32,
    /// File for CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csv: Option<PathBuf>,
    /// Folder for annotated frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotate: Option<PathBuf>,
    /// Most files in that folder; the oldest are deleted.
    pub annotate_max: usize,
    /// File or FIFO for annotated frames as Motion JPEG.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mjpeg: Option<PathBuf>,
    /// Framebuffer for annotated frames, such as /dev/fb0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framebuffer: Option<PathBuf>,
    /// Folder for pictures of events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<PathBuf>,
    /// Most megabytes in that folder; the oldest snapshots are deleted.
    pub snapshot_mb: u64,
    /// Keep the frame without annotations as well.
    pub snapshot_plain: bool,
    /// Most snapshots per minute.
    pub snapshot_per_minute: usize,
    /// Kinds of events of which a picture is kept; if empty: appear, enter, cross and state.
    pub snapshot_events: Vec<EventKind>,
    /// Folder for what every track looks like, to be searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<PathBuf>,
    /// Most days before today that it goes back; older ones are deleted.
    pub history_days: u32,
    /// Most megabytes in that folder; the oldest days are deleted.
    pub history_mb: u64,
    /// Per cent of the disk that annotated frames, snapshots and the history leave free, 0 to 50.
    pub keep_free: u8,
    /// Replace files of CSV and Motion JPEG that edgeclip did not write.
    pub force: bool,
    /// Most megabytes of each process that reads or decodes for a source; else for reading a quarter of the
    /// memory that is available, 128 to 512, and for decoding pictures 64 more than `max_picture_mb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder_mb: Option<u64>,
    /// Give up, once everything is open, whatever the settings do not need: other files, connections, programs.
    pub seal: bool,
    /// Which boxes pictures and tables show.
    pub show: ShownBoxes,
    /// Draw the path of each track over the last seconds.
    pub trails: bool,
    /// Cameras, recordings, streams.
    pub source: Vec<SourceSettings>,
    /// A broker of MQTT to which results go, and from which commands come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mqtt: Option<Mqtt>,
    /// Whom to tell of which events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Notify>,
    /// A server for browsers and programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// How closely frames are looked at.
    pub look: Look,
    /// Tracking.
    pub track: track::Settings,
    /// Zones of every source that has none of its own.
    pub zone: Vec<events::Zone>,
    /// Lines of every source that has none of its own.
    pub line: Vec<events::Line>,
    /// What is black in the frames of every source.
    pub mask: Vec<Mask>,
    /// Settings for single labels.
    pub label: Vec<events::Label>,
    /// How tracks in zones are counted.
    pub occupancy: events::Occupancy,
    /// How tags of the whole picture come and go.
    pub scene: events::Tags,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prompt: None,
            vocab: None,
            blur: None,
            blur_threshold: BLUR_THRESHOLD,
            threshold: None,
            tag_threshold: None,
            model: None,
            threads: None,
            max_picture_mb: None,
            fps: Target::Auto,
            every_frame: false,
            skip_still: false,
            max_celsius: 75.0,
            frames: None,
            format: Format::Jsonl,
            events_only: false,
            status: 0.0,
            csv: None,
            annotate: None,
            annotate_max: 1000,
            mjpeg: None,
            framebuffer: None,
            snapshot: None,
            snapshot_mb: 500,
            snapshot_plain: false,
            snapshot_per_minute: 60,
            snapshot_events: Vec::new(),
            history: None,
            history_days: 365,
            history_mb: 500,
            keep_free: 5,
            force: false,
            decoder_mb: None,
            seal: false,
            show: ShownBoxes::Tracks,
            trails: true,
            source: Vec::new(),
            mqtt: None,
            notify: Vec::new(),
            http: None,
            look: Look::default(),
            track: track::Settings::default(),
            zone: Vec::new(),
            line: Vec::new(),
            mask: Vec::new(),
            label: Vec::new(),
            occupancy: events::Occupancy::default(),
            scene: events::Tags::default(),
        }
    }
}

impl Settings {
    /// Checks that every value is in its range and that values fit each other.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the first value that is not.
    pub(crate) fn check(&self) -> Result<()> {
        let threshold = self.threshold.unwrap_or(0.0);
        let ranges = [
            ("threshold", threshold, 0.0, 1.0),
            ("tag_threshold", self.tag_threshold.unwrap_or(0.0), 0.0, 1.0),
            ("blur_threshold", self.blur_threshold, 0.0, 1.0),
            ("max_celsius", self.max_celsius, 30.0, 120.0),
            ("status", self.status, 0.0, 86_400.0),
            ("threads", f32::from(self.threads.unwrap_or(1)), 1.0, 256.0),
            ("max_picture_mb", self.max_picture_mb.unwrap_or(1) as f32, 1.0, 1e6),
            ("annotate_max", self.annotate_max as f32, 1.0, 1e9),
            ("decoder_mb", self.decoder_mb.unwrap_or(128) as f32, 32.0, 1e6),
            ("snapshot_mb", self.snapshot_mb as f32, 1.0, 1e9),
            ("history_days", self.history_days as f32, 0.0, 36_500.0),
            ("history_mb", self.history_mb as f32, 1.0, 1e9),
            ("keep_free", f32::from(self.keep_free), 0.0, 50.0),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::settings(name, value.to_string(), format!("{least} to {most}")));
            }
        }
        if self.status > 0.0 && matches!(self.format, Format::Csv | Format::Mjpeg) {
            let found = format!("{} with a format other than JSON", self.status);
            return Err(Error::settings("status", found, "0, or format jsonl or none"));
        }
        if let Some(source) = self.source.iter().find(|source| source.url.is_empty()) {
            let name = source.name.as_deref().unwrap_or("source");
            return Err(Error::settings(name, "no url", "url = \"/dev/video0\", a path, rtsp://… or -"));
        }
        if let Some(seconds) = self.source.iter().find_map(|source| source.stall_seconds)
            && !(1..=3600).contains(&seconds)
        {
            return Err(Error::settings("stall_seconds", seconds.to_string(), "1 to 3600"));
        }
        self.mqtt.iter().try_for_each(Mqtt::check)?;
        self.http.iter().try_for_each(Http::check)?;
        self.look.check()?;
        self.notify.iter().enumerate().try_for_each(|(index, rule)| rule.check(index))?;
        self.track.check()?;
        let own = self.source.iter().flat_map(|source| source.mask.iter().enumerate());
        self.mask.iter().enumerate().chain(own).try_for_each(|(index, mask)| mask.check(index))?;
        (0..self.source.len().max(1)).try_for_each(|source| self.events(source).check())
    }

    /// Keys whose values differ from `before` but take effect only after a restart.
    pub(crate) fn needs_restart(&self, before: &Self) -> Vec<&'static str> {
        let unplaced = |settings: &Self| {
            let plain = |source: &SourceSettings| SourceSettings {
                zone: Vec::new(),
                line: Vec::new(),
                mask: Vec::new(),
                ..source.clone()
            };
            settings.source.iter().map(plain).collect::<Vec<_>>()
        };
        let checks = [
            ("source", unplaced(self) != unplaced(before)),
            ("model", self.model != before.model),
            ("threads", self.threads != before.threads),
            ("max_picture_mb", self.max_picture_mb != before.max_picture_mb),
            ("frames", self.frames != before.frames),
            ("every_frame", self.every_frame != before.every_frame),
            ("format", self.format != before.format),
            ("events_only", self.events_only != before.events_only),
            ("status", self.status != before.status),
            ("csv", self.csv != before.csv),
            ("annotate", (&self.annotate, self.annotate_max) != (&before.annotate, before.annotate_max)),
            ("mjpeg", self.mjpeg != before.mjpeg),
            ("framebuffer", self.framebuffer != before.framebuffer),
            ("snapshot", self.snapshots() != before.snapshots()),
            ("history", self.history() != before.history()),
            ("keep_free", self.keep_free != before.keep_free),
            ("decoder_mb", self.decoder_mb != before.decoder_mb),
            ("seal", self.seal != before.seal),
            ("mqtt", self.mqtt != before.mqtt),
            ("http", self.http != before.http),
            ("notify", self.notify != before.notify),
            ("show", self.show != before.show),
            ("trails", self.trails != before.trails),
        ];
        checks.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
    }

    /// These settings with the sources of `before`, which keep running, and with the zones, lines and masks
    /// given here for the same URLs.
    pub(crate) fn with_sources_of(mut self, before: &Self) -> Self {
        let mut changed = std::mem::take(&mut self.source);
        let mut stay = |old: &SourceSettings| {
            let found = changed.iter().position(|new| new.url == old.url);
            let new = found.map_or_else(|| old.clone(), |at| changed.remove(at));
            SourceSettings { zone: new.zone, line: new.line, mask: new.mask, ..old.clone() }
        };
        self.source = before.source.iter().map(&mut stay).collect();
        self
    }

    fn snapshots(&self) -> impl PartialEq + '_ {
        let Self { snapshot, snapshot_mb, snapshot_plain, snapshot_per_minute, snapshot_events, .. } = self;
        (snapshot, snapshot_mb, snapshot_plain, snapshot_per_minute, snapshot_events)
    }

    fn history(&self) -> impl PartialEq + '_ {
        (&self.history, self.history_days, self.history_mb)
    }

    /// The masks of a source: those of all, and its own.
    pub(crate) fn masks(&self, source: usize) -> impl Iterator<Item = &Mask> {
        self.mask.iter().chain(self.source.get(source).into_iter().flat_map(|own| &own.mask))
    }

    /// Files with what to look for: prompts or a vocabulary.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let file = |words: &Option<Prompts>| match words {
            Some(Prompts::List(list)) => list.trim().strip_prefix('@').map(PathBuf::from),
            _ => None,
        };
        file(&self.prompt).into_iter().chain(file(&self.blur)).chain(self.vocab.clone()).collect()
    }

    /// Zones, lines and the like of a source: its own zones and lines, else those shared by all.
    pub(crate) fn events(&self, source: usize) -> events::Settings {
        let own = self.source.get(source).filter(|own| !own.zone.is_empty() || !own.line.is_empty());
        events::Settings {
            zones: own.map_or(&self.zone, |own| &own.zone).clone(),
            lines: own.map_or(&self.line, |own| &own.line).clone(),
            labels: self.label.clone(),
            occupancy: self.occupancy.clone(),
            scene: self.scene.clone(),
        }
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
