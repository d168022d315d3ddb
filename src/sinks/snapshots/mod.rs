//! Pictures of events: the frame as a JPEG file, with a JSON file beside it.

mod folder;
mod index;
mod name;

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use self::folder::{Kept, SnapshotFolder};
use self::name::stem;
pub(super) use self::name::{is_stem, plain};
use super::clock::unix;
use super::live_jsonl::{Track, VERSION};
use super::picture::{JPEG_QUALITY, encode};
use super::{Painter, PictureKind, PictureSink};
use crate::error::{Error, Result};
use crate::events::{Event, EventKind};
use crate::report::{EventRecord, FeatureRecord, FrameReport, ShownBoxes};
use crate::source::Picture;

/// Interval over which snapshots are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// What is kept.
#[derive(Debug, Clone)]
pub(crate) struct SnapshotOptions {
    /// Where files go; the folder is created if it does not exist.
    pub folder: PathBuf,
    /// Kinds of events that are kept.
    pub kinds: HashSet<EventKind>,
    /// Whether the frame without annotations is kept as well.
    pub plain: bool,
    /// Most bytes of all files together; the oldest are deleted.
    pub most_bytes: u64,
    /// Per cent of the disk that stay free, as far as it lies with snapshots.
    pub free: u8,
    /// Most snapshots per minute, whatever the time of their frames; further events get none.
    pub per_minute: usize,
    /// Draws the annotations.
    pub painter: Painter,
}

impl SnapshotOptions {
    /// Defaults: appear, enter, cross and state events; 500 MB, 60 per minute, no plain frames.
    pub(crate) fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            kinds: [EventKind::Appear, EventKind::Enter, EventKind::Cross, EventKind::State].into(),
            plain: false,
            most_bytes: 500_000_000,
            free: 5,
            per_minute: 60,
            painter: Painter::new(ShownBoxes::Tracks),
        }
    }
}

/// Keeps the frames of events: `2026-11-22T06-00-00.123Z_enter_gate_person_12.jpg`, `….json` and, if wanted,
/// `….plain.jpg`.
pub(crate) struct Snapshots {
    options: SnapshotOptions,
    name: String,
    folder: SnapshotFolder,
    painter: Painter,
    recent: VecDeque<Instant>,
    idle: bool,
}

impl Snapshots {
    /// Creates the folder, and begins to look for what earlier runs left in it.
    ///
    /// # Errors
    /// [`Error::Device`] if the folder cannot be created or read.
    pub(crate) fn new(options: SnapshotOptions) -> Result<Self> {
        let name = options.folder.display().to_string();
        let kept = Kept { most_bytes: options.most_bytes, free: options.free };
        let folder = SnapshotFolder::open(&options.folder, kept)?;
        let painter = options.painter.clone();
        Ok(Self { options, name, folder, painter, recent: VecDeque::new(), idle: true })
    }

    /// Whether one more may be kept at `now`.
    fn may(&mut self, now: Instant) -> bool {
        self.recent.retain(|past| now.saturating_duration_since(*past) < MINUTE);
        let may = self.recent.len() < self.options.per_minute;
        if may {
            self.recent.push_back(now);
        }
        may
    }

    fn keep(
        &mut self,
        event: &Event,
        features: Option<&FeatureRecord>,
        report: &FrameReport,
        pictures: &[(&str, Vec<u8>)],
    ) -> Result<()> {
        let record = EventRecord::of(event);
        self.folder.refresh()?;
        let stem = self.folder.free(stem(report.time, &record));
        let description = Description {
            r#type: "snapshot",
            version: VERSION,
            name: &stem,
            sequence: self.folder.next_sequence(),
            pictures: pictures.iter().map(|(ending, _)| format!("{stem}{ending}")).collect(),
            source: &report.source,
            frame: report.frame,
            time: unix(report.time),
            record,
            width: report.width,
            height: report.height,
            tracks: report.tracks.iter().map(Track::new).collect(),
            features,
        };
        let json = serde_json::to_vec(&description);
        let json = json.map_err(|error| Error::bug(format!("a snapshot's JSON: {error}")))?;
        self.folder.keep(&stem, &json, pictures)
    }

    /// Keeps the frame of each event that is wanted; `now` is what the limit per minute goes by.
    fn take_at(&mut self, now: Instant, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        let events = report.events.iter().enumerate();
        let wanted = events.filter(|(_, event)| self.options.kinds.contains(&EventKind::of(event)));
        let wanted: Vec<(usize, &Event)> = wanted.collect();
        // The painter sees every report: frames without a look draw boxes dashed as in the last look.
        self.painter.follow(report);
        self.idle = true;
        if wanted.is_empty() {
            return Ok(());
        }
        // The queue has counted the picture that it dropped.
        let Some(picture) = picture else { return Ok(()) };
        let mut pictures = Vec::new();
        for (index, event) in wanted {
            if !self.may(now) {
                break;
            }
            // Encoded once for all events of the frame.
            if pictures.is_empty() {
                let jpeg = |rgb: &[u8]| {
                    let (name, kind) = (&self.name, PictureKind::Jpeg);
                    let mut file = encode(name, kind, JPEG_QUALITY, rgb, picture.width, picture.height)?;
                    index::mark(&mut file);
                    Result::Ok(file)
                };
                let mut rgb = picture.data.clone();
                if self.options.plain {
                    pictures.push((index::PLAIN, jpeg(&rgb)?));
                }
                self.painter.annotate(&mut rgb, picture.width, picture.height, report);
                pictures.insert(0, (index::ANNOTATED, jpeg(&rgb)?));
            }
            let features = report.features.get(index).and_then(Option::as_ref);
            self.keep(event, features, report, &pictures)?;
            self.idle = false;
        }
        Ok(())
    }
}

impl PictureSink for Snapshots {
    fn name(&self) -> &str {
        &self.name
    }

    fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        self.take_at(Instant::now(), report, picture)
    }

    fn was_idle(&self) -> bool {
        self.idle
    }
}

/// The JSON file beside the pictures.
#[derive(Serialize)]
struct Description<'a> {
    r#type: &'static str,
    version: u32,
    name: &'a str,
    sequence: u64,
    pictures: Vec<String>,
    source: &'a str,
    frame: u64,
    time: f64,
    #[serde(flatten)]
    record: EventRecord<'a>,
    width: u32,
    height: u32,
    tracks: Vec<Track<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    features: Option<&'a FeatureRecord>,
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
