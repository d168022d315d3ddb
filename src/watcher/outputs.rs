//! From settings to running sinks.

use std::num::NonZeroUsize;

use crate::config::{Format, Settings};
use crate::error::{Error, Result};
use crate::pipeline::Outbox;
use crate::sinks::{
    Csv, Framebuffer, Frames, Inputs, Kept, Lines, LiveJsonl, MotionJpeg, Output, Painter, Sink,
    SnapshotOptions, Snapshots,
};

/// Opens every sink in the settings, of which the one on standard output comes first.
///
/// # Errors
/// A file, folder or device cannot be written, holds something that is not edgeclip's, or is an input.
pub(crate) fn sinks(settings: &Settings) -> Result<Vec<Box<dyn Sink>>> {
    refuse_inputs(settings)?;
    let painter = || Painter::new(settings.show).with_trails(settings.trails);
    let rows = (!settings.events_only).then_some(settings.show);
    let lines = match (settings.events_only, settings.every_frame) {
        (true, _) => Lines::Events,
        (false, false) => Lines::Looked,
        (false, true) => Lines::All,
    };
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    match settings.format {
        Format::Jsonl => sinks.push(Box::new(LiveJsonl::new(Output::stdout(), lines))),
        Format::Csv => sinks.push(Box::new(Csv::new(Output::stdout(), rows))),
        Format::Mjpeg => sinks.push(Box::new(MotionJpeg::new(Output::stdout(), painter()))),
        Format::None => {}
    }
    if let Some(path) = &settings.csv {
        sinks.push(Box::new(Csv::new(Output::open(path, Csv::OWN, settings.force)?, rows)));
    }
    if let Some(path) = &settings.mjpeg {
        sinks
            .push(Box::new(MotionJpeg::new(Output::open(path, MotionJpeg::OWN, settings.force)?, painter())));
    }
    if let Some(path) = &settings.framebuffer {
        sinks.push(Box::new(Framebuffer::open(path, painter())?));
    }
    if let Some(folder) = &settings.annotate {
        let most = NonZeroUsize::new(settings.annotate_max).unwrap_or(NonZeroUsize::MIN);
        sinks.push(Box::new(Frames::new(folder, Kept { most, free: settings.keep_free }, painter())?));
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
        sinks.push(Box::new(Snapshots::new(options)?));
    }
    Ok(sinks)
}

/// Starts the sinks in the settings, which are open, then the caller's `own`.
///
/// # Errors
/// The system has no thread for one.
pub(crate) fn outboxes(sinks: Vec<Box<dyn Sink>>, own: Vec<Box<dyn Sink>>) -> Result<Vec<Outbox>> {
    sinks.into_iter().chain(own).map(Outbox::new).collect()
}

/// Sees to it that nothing is written over what is read, or among pictures that are.
fn refuse_inputs(settings: &Settings) -> Result<()> {
    let mut inputs = Inputs::default();
    for source in &settings.source {
        match source.url.as_str() {
            "-" => inputs.add_stdin(),
            url if url.contains("://") => {}
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
    for (key, folder, example) in
        [("annotate", &settings.annotate, "frame-00000001.jpg"), ("snapshot", &settings.snapshot, "x_1.jpg")]
    {
        folder.iter().try_for_each(|folder| inputs.refuse_folder(folder, key, example))?;
    }
    Ok(())
}
