//! Comma-separated values for spreadsheets: one row per track, detection or event; `docs/output.md` describes
//! the columns.

use ::csv::{Terminator, WriterBuilder};

use super::clock::utc;
use super::json::corners;
use super::output::Own;
use super::{Output, Sink};
use crate::error::{Error, Result};
use crate::events::Event;
use crate::report::{Before, Detection, EventRecord, FrameReport, ShownBoxes, rounded};
use crate::track::Track;

const HEADER: [&str; 17] = [
    "time", "source", "frame", "kind", "label", "score", "x0", "y0", "x1", "y1", "track", "seen", "zone",
    "state", "before", "count", "seconds",
];

/// Writes rows of values under one header.
pub(crate) struct Csv {
    output: Output,
    things: Option<ShownBoxes>,
    idle: bool,
}

impl Csv {
    /// By what a file of an earlier run is known.
    pub(crate) const OWN: Own = Own { what: "a CSV file of edgeclip's", begins: is_own };

    /// Writes a row per event to `output`, and one per box of this kind in each frame that was looked at.
    pub(crate) fn new(output: Output, things: Option<ShownBoxes>) -> Self {
        Self { output, things, idle: true }
    }
}

impl Sink for Csv {
    fn name(&self) -> &str {
        self.output.name()
    }

    fn take(&mut self, report: &FrameReport) -> Result<()> {
        let rows = rows(report, self.things);
        self.idle = rows.is_empty();
        if self.idle {
            return Ok(());
        }
        let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
        let header = self.output.is_at_start().then(|| HEADER.map(str::to_owned));
        let time = [utc(report.time), report.source.to_string(), report.frame.to_string()];
        let rows = rows.into_iter().map(|row| row.columns(&time));
        let written = header.into_iter().chain(rows).try_for_each(|row| writer.write_record(row));
        written.map_err(|error| Error::bug(format!("a row of values: {error}")))?;
        let text = writer.into_inner().map_err(|error| Error::bug(format!("a row of values: {error}")))?;
        self.output.write(&text)
    }

    fn was_idle(&self) -> bool {
        self.idle
    }
}

/// Whether a file that begins like this has our header.
fn is_own(head: &[u8]) -> bool {
    head.strip_prefix(HEADER.join(",").as_bytes()).is_some_and(|rest| rest.starts_with(b"\n"))
}

/// The columns right of the frame number; cells without a value stay empty.
#[derive(Default)]
struct Row {
    kind: &'static str,
    label: String,
    score: Option<f64>,
    rect: Option<[f64; 4]>,
    track: Option<u64>,
    seen: Option<bool>,
    zone: String,
    state: String,
    before: String,
    count: Option<u64>,
    seconds: Option<f64>,
}

impl Row {
    fn columns(self, left: &[String; 3]) -> [String; 17] {
        let [time, source, frame] = left.clone();
        let cell = |corner: usize| text(self.rect.and_then(|rect| rect.get(corner).copied()));
        [
            time,
            source,
            frame,
            self.kind.to_owned(),
            self.label,
            text(self.score),
            cell(0),
            cell(1),
            cell(2),
            cell(3),
            text(self.track),
            text(self.seen),
            self.zone,
            self.state,
            self.before,
            text(self.count),
            text(self.seconds),
        ]
    }

    fn detection(Detection { label, score, rect }: &Detection) -> Self {
        Self {
            kind: "detection",
            label: label.to_string(),
            score: Some(rounded(*score, 4)),
            rect: Some(corners(rect)),
            ..Self::default()
        }
    }

    fn track(track: &Track) -> Self {
        Self {
            kind: "track",
            label: track.label.to_string(),
            score: Some(rounded(track.score, 4)),
            rect: Some(corners(&track.rect)),
            track: Some(track.id),
            seen: Some(track.seen),
            seconds: Some((track.age.as_secs_f64() * 1e3).round() / 1e3),
            ..Self::default()
        }
    }

    /// With score and box of the event's track, if it still exists.
    fn event(event: &Event, tracks: &[Track]) -> Self {
        let record = EventRecord::of(event);
        let track = tracks.iter().find(|track| Some(track.id) == record.track).map(Self::track);
        let about = track.unwrap_or_default();
        let crossings = if record.direction == Some("forward") { record.forwards } else { record.backwards };
        let presence = record.present.map(|present| if present { "present" } else { "absent" });
        Self {
            kind: record.event.name(),
            label: record.label.unwrap_or_default().to_owned(),
            score: record.score.or(record.probability).or(about.score),
            rect: about.rect,
            track: record.track,
            seen: about.seen,
            zone: record.place().unwrap_or_default().to_owned(),
            state: record.state.or(record.direction).or(presence).unwrap_or_default().to_owned(),
            before: match record.before {
                Some(Before::Count(count)) => count.to_string(),
                Some(Before::State(state)) => state.unwrap_or_default().to_owned(),
                None => String::new(),
            },
            count: record.count.map(u64::from).or(crossings),
            seconds: record.stayed,
        }
    }
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn rows(report: &FrameReport, things: Option<ShownBoxes>) -> Vec<Row> {
    let mut rows: Vec<Row> = match things.filter(|_| report.looked) {
        None => Vec::new(),
        Some(ShownBoxes::Tracks) => report.tracks.iter().map(Row::track).collect(),
        Some(ShownBoxes::Detections) => report.detections.iter().map(Row::detection).collect(),
    };
    rows.extend(report.events.iter().map(|event| Row::event(event, &report.tracks)));
    rows
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
