//! From settings to running sinks.

use std::num::NonZeroUsize;

use crate::config::{Format, Settings};
use crate::error::{Error, Result};
use crate::pipeline::Outboxes;
use crate::sinks::{
    Csv, Framebuffer, Frames, History, HistoryLimits, Inputs, Kept, Lines, LiveJsonl, MotionJpeg, Output,
    Painter, PictureSink, Sink, SnapshotOptions, Snapshots,
};
use crate::source::is_program;

/// Sinks by what they take. Only those that show pictures are ever given pixels.
#[derive(Default)]
pub(crate) struct Sinks {
    /// Words, numbers and boxes.
    pub reports: Vec<Box<dyn Sink>>,
    /// Frames with their reports.
    pub pictures: Vec<Box<dyn PictureSink>>,
}

impl Sinks {
    /// Starts a thread for each.
    ///
    /// # Errors
    /// The system has no thread for one.
    pub(crate) fn start(self, outboxes: &mut Outboxes) -> Result<()> {
        self.reports.into_iter().try_for_each(|sink| outboxes.add_sink(sink))?;
        self.pictures.into_iter().try_for_each(|sink| outboxes.add_picture_sink(sink))
    }
}

/// Opens every sink in the settings.
///
/// # Errors
/// A file, folder or device cannot be written, holds something that is not edgeclip's, or is an input.
pub(crate) fn sinks(settings: &Settings) -> Result<Sinks> {
    refuse_inputs(settings)?;
    let painter = || Painter::new(settings.show).with_trails(settings.trails);
    let rows = (!settings.events_only).then_some(settings.show);
    let lines = match (settings.events_only, settings.every_frame) {
        (true, _) => Lines::Events,
        (false, false) => Lines::Looked,
        (false, true) => Lines::All,
    };
    let mut sinks = Sinks::default();
    match settings.format {
        Format::Jsonl => sinks.reports.push(Box::new(LiveJsonl::new(Output::stdout(), lines))),
        Format::Csv => sinks.reports.push(Box::new(Csv::new(Output::stdout(), rows))),
        Format::Mjpeg => sinks.pictures.push(Box::new(MotionJpeg::new(Output::stdout(), painter()))),
        Format::None => {}
    }
    if let Some(path) = &settings.csv {
        sinks.reports.push(Box::new(Csv::new(Output::open(path, Csv::OWN, settings.force)?, rows)));
    }
    if let Some(path) = &settings.mjpeg {
        let output = Output::open(path, MotionJpeg::OWN, settings.force)?;
        sinks.pictures.push(Box::new(MotionJpeg::new(output, painter())));
    }
    if let Some(path) = &settings.framebuffer {
        sinks.pictures.push(Box::new(Framebuffer::open(path, painter())?));
    }
    if let Some(folder) = &settings.annotate {
        let most = NonZeroUsize::new(settings.annotate_max).unwrap_or(NonZeroUsize::MIN);
        sinks.pictures.push(Box::new(Frames::new(
            folder,
            Kept { most, free: settings.keep_free },
            painter(),
        )?));
    }
    if let Some(folder) = &settings.history {
        let limits = HistoryLimits {
            days: settings.history_days,
            bytes: settings.history_mb * 1_000_000,
            free: settings.keep_free,
        };
        sinks.reports.push(Box::new(History::open(folder, limits)?));
    }
    if let Some(folder) = &settings.snapshot {
        let mut options = SnapshotOptions::new(folder);
        if !settings.snapshot_events.is_empty() {
            options.kinds = settings.snapshot_events.iter().copied().collect();
        }
        options.plain = settings.snapshot_plain;
        options.most_bytes = settings.snapshot_mb * 1_000_000;
        options.free = settings.keep_free;
        options.per_minute = settings.snapshot_per_minute;
        options.painter = painter();
        sinks.pictures.push(Box::new(Snapshots::new(options)?));
    }
    Ok(sinks)
}

/// Sees to it that nothing is written over what is read, or among pictures that are.
fn refuse_inputs(settings: &Settings) -> Result<()> {
    let mut inputs = Inputs::default();
    for source in &settings.source {
        match source.url.as_str() {
            "-" => inputs.add_stdin(),
            url if url.contains("://") || is_program(url) => {}
            path => inputs.add_pictures(&[path.into()]),
        }
    }
    settings.files().iter().for_each(|file| inputs.add_file(file));
    settings.model.iter().for_each(|folder| inputs.add_files_of(folder));
    inputs.refuse_stdout()?;
    for (key, file) in [("csv", &settings.csv), ("mjpeg", &settings.mjpeg)] {
        file.iter().try_for_each(|file| inputs.refuse_file(file, key))?;
    }
    if settings.csv.is_some() && settings.csv == settings.mjpeg {
        let file = settings.csv.iter().map(|file| file.display().to_string()).collect::<String>();
        return Err(Error::settings(file, "csv and mjpeg in one file", "a file for each"));
    }
    for (key, folder, example) in [
        ("annotate", &settings.annotate, "frame-00000001.jpg"),
        ("snapshot", &settings.snapshot, "x_1.jpg"),
        ("history", &settings.history, "x.history.jsonl"),
    ] {
        folder.iter().try_for_each(|folder| inputs.refuse_folder(folder, key, example))?;
    }
    Ok(())
}
