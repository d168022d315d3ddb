//! From settings to running sinks.

use std::num::NonZeroUsize;

use crate::config::{Format, Settings};
use crate::error::Result;
use crate::pipeline::Outbox;
use crate::sinks::{Csv, Frames, Framebuffer, Lines, LiveJsonl, MotionJpeg, Output, PictureKind, Sink, Snapshots, Things};

/// Starts every sink that the settings ask for.
///
/// # Errors
/// A file, folder or device cannot be written.
pub fn outboxes(settings: &Settings) -> Result<Vec<Outbox>> {
    let mut outboxes = Vec::new();
    Ok(outboxes)
}
