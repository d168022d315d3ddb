//! JSON Lines of live sources, schema version 1: `docs/schema/live-1.schema.json`, described in
//! `docs/output.md`.

use std::io;

use serde::Serialize;

use super::clock::unix;
use super::json::{Detection, Keyed, Tag, corners, milliseconds, write_line};
use super::{Output, Sink};
use crate::error::{Error, Result};
#[cfg(any(feature = "mqtt", feature = "notify"))]
use crate::events::Event;
use crate::report::{EventRecord, FrameReport, LiveTiming, STAGES, rounded};

/// The schema version of [`Line`]. It rises when a key goes or changes its meaning, not when one is added.
pub(crate) const VERSION: u32 = 1;

/// Which lines are written. Events always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Events only.
    Events,
    /// Also one per frame that was looked at.
    Looked,
    /// Also one per frame, looked at or not.
    All,
}

/// Prints frames and events as lines of JSON, a frame's events right after it.
pub(crate) struct LiveJsonl {
    output: Output,
    lines: Lines,
    text: Vec<u8>,
}

impl LiveJsonl {
    /// Writes `lines` to `output`.
    pub(crate) fn new(output: Output, lines: Lines) -> Self {
        Self { output, lines, text: Vec::new() }
    }
}

impl Sink for LiveJsonl {
    fn name(&self) -> &str {
        self.output.name()
    }

    fn take(&mut self, report: &FrameReport) -> Result<()> {
        self.text.clear();
        let written = write(&mut self.text, report, self.lines);
        written.map_err(|error| Error::bug(format!("a line of JSON: {error}")))?;
        if self.text.is_empty() { Ok(()) } else { self.output.write(&self.text) }
    }

    fn was_idle(&self) -> bool {
        self.text.is_empty()
    }
}

#[derive(Serialize)]
struct Line<'a, T> {
    r#type: &'static str,
    version: u32,
    source: &'a str,
    frame: u64,
    time: f64,
    #[serde(flatten)]
    rest: T,
}

#[derive(Serialize)]
struct Frame<'a> {
    width: u32,
    height: u32,
    tags: Vec<Tag<'a>>,
    detections: Vec<Detection<'a>>,
    tracks: Vec<Track<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    crops: Vec<[f64; 4]>,
    timing_ms: Keyed<{ STAGES.len() + 1 }, f64>,
    latency_ms: f64,
}

#[derive(Serialize)]
pub(super) struct Track<'a> {
    id: u64,
    label: &'a str,
    score: f64,
    #[serde(rename = "box")]
    rect: [f64; 4],
    velocity: [f64; 2],
    seen: bool,
    age: f64,
}

impl<'a> Track<'a> {
    pub(super) fn new(track: &'a crate::track::Track) -> Self {
        Self {
            id: track.id,
            label: &track.label,
            score: rounded(track.score, 4),
            rect: corners(&track.rect),
            velocity: track.velocity.map(|v| rounded(v, 1)),
            seen: track.seen,
            age: (track.age.as_secs_f64() * 1e3).round() / 1e3,
        }
    }
}

fn write(out: &mut Vec<u8>, report: &FrameReport, lines: Lines) -> io::Result<()> {
    if lines == Lines::All || lines == Lines::Looked && report.looked {
        write_line(out, &line("frame", report, frame(report)))?;
    }
    for event in &report.events {
        write_line(out, &line("event", report, EventRecord::of(event)))?;
    }
    Ok(())
}

/// One event of a report as its line, without the end of the line.
///
/// # Errors
/// [`Error::Bug`] if it cannot be written as JSON.
#[cfg(any(feature = "mqtt", feature = "notify"))]
pub(crate) fn event_line(report: &FrameReport, event: &Event) -> Result<String> {
    let line = serde_json::to_string(&line("event", report, EventRecord::of(event)));
    line.map_err(|error| Error::bug(format!("a line of JSON: {error}")))
}

/// What a report shows as its line, without the end of the line.
///
/// # Errors
/// [`Error::Bug`] if it cannot be written as JSON.
#[cfg(feature = "serve")]
pub(crate) fn frame_line(report: &FrameReport) -> Result<String> {
    let line = serde_json::to_string(&line("frame", report, frame(report)));
    line.map_err(|error| Error::bug(format!("a line of JSON: {error}")))
}

fn line<'a, T: Serialize>(kind: &'static str, report: &'a FrameReport, rest: T) -> Line<'a, T> {
    let time = unix(report.time);
    Line { r#type: kind, version: VERSION, source: &report.source, frame: report.frame, time, rest }
}

fn frame(report: &FrameReport) -> Frame<'_> {
    Frame {
        width: report.width,
        height: report.height,
        tags: report.tags.iter().map(Tag::new).collect(),
        detections: report.detections.iter().map(Detection::new).collect(),
        tracks: report.tracks.iter().map(Track::new).collect(),
        crops: report.crops.iter().map(corners).collect(),
        timing_ms: timing(&report.timing),
        latency_ms: milliseconds(report.latency),
    }
}

fn timing(timing: &LiveTiming) -> Keyed<{ STAGES.len() + 1 }, f64> {
    let mut keyed = [("total", milliseconds(timing.total())); STAGES.len() + 1];
    for (place, (name, took)) in keyed.iter_mut().zip(STAGES.into_iter().zip(timing.stages())) {
        *place = (name, milliseconds(took));
    }
    Keyed(keyed)
}

#[cfg(test)]
#[path = "live_jsonl_tests.rs"]
mod tests;
