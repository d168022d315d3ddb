//! From settings to running sinks.

use std::num::NonZeroUsize;

use crate::config::{Format, Settings};
use crate::error::Result;
use crate::pipeline::Outbox;
use crate::sinks::{
    Csv, Framebuffer, Frames, Lines, LiveJsonl, MotionJpeg, Output, Painter, PictureKind, Sink,
    SnapshotOptions, Snapshots,
};

/// Starts every sink in the settings, of which the one on standard output comes first, then the caller's
/// `own`.
///
/// # Errors
/// A file, folder or device cannot be written.
pub(crate) fn outboxes(settings: &Settings, own: Vec<Box<dyn Sink>>) -> Result<Vec<Outbox>> {
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
        sinks.push(Box::new(Csv::new(Output::open(path)?, rows)));
    }
    if let Some(path) = &settings.mjpeg {
        sinks.push(Box::new(MotionJpeg::new(Output::open(path)?, painter())));
    }
    if let Some(path) = &settings.framebuffer {
        sinks.push(Box::new(Framebuffer::open(path, painter())?));
    }
    if let Some(folder) = &settings.annotate {
        let most = NonZeroUsize::new(settings.annotate_max).unwrap_or(NonZeroUsize::MIN);
        sinks.push(Box::new(Frames::new(folder, PictureKind::Jpeg, most, painter())?));
    }
    if let Some(folder) = &settings.snapshot {
        let mut options = SnapshotOptions::new(folder);
        if !settings.snapshot_events.is_empty() {
            options.kinds = settings.snapshot_events.iter().copied().collect();
        }
        options.plain = settings.snapshot_plain;
        options.most_bytes = settings.snapshot_mb * 1_000_000;
        options.per_minute = settings.snapshot_per_minute;
        options.painter = painter();
        sinks.push(Box::new(Snapshots::new(options)?));
    }
    sinks.into_iter().chain(own).map(Outbox::new).collect()
}
