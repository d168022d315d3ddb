//! What JSON lines of still pictures and of live sources share.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::geometry::Rect;
use crate::report::{self, Timing, rounded};

#[derive(Serialize)]
pub(crate) struct Tag<'a> {
    label: &'a str,
    score: f64,
}

impl<'a> Tag<'a> {
    pub(crate) fn new(tag: &'a report::Tag) -> Self {
        Self { label: &tag.label, score: rounded(tag.score, 4) }
    }
}

#[derive(Serialize)]
pub(crate) struct Detection<'a> {
    label: &'a str,
    score: f64,
    #[serde(rename = "box")]
    rect: [f64; 4],
}

impl<'a> Detection<'a> {
    pub(crate) fn new(detection: &'a report::Detection) -> Self {
        let report::Detection { label, score, rect } = detection;
        Self { label, score: rounded(*score, 4), rect: corners(rect) }
    }
}

#[derive(Serialize)]
pub(crate) struct Milliseconds {
    decode: f64,
    preprocess: f64,
    vision: f64,
    regions: f64,
    #[serde(rename = "match")]
    matching: f64,
    total: f64,
}

impl Milliseconds {
    pub(crate) fn new(timing: &Timing) -> Self {
        Self {
            decode: milliseconds(timing.decode),
            preprocess: milliseconds(timing.preprocess),
            vision: milliseconds(timing.vision),
            regions: milliseconds(timing.regions),
            matching: milliseconds(timing.matching),
            total: milliseconds(timing.total()),
        }
    }
}

/// Values by name, in this order.
pub(crate) struct Keyed<const N: usize, T>(pub [(&'static str, T); N]);

impl<const N: usize, T: Serialize> Serialize for Keyed<N, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Writes `line` and a line break.
pub(crate) fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Left, top, right and bottom in pixels, with 1 decimal.
pub(crate) fn corners(rect: &Rect) -> [f64; 4] {
    [rect.x0, rect.y0, rect.x1, rect.y1].map(|v| rounded(v, 1))
}

/// Milliseconds with 3 decimals.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    rounded((duration.as_secs_f64() * 1e3) as f32, 3)
}
