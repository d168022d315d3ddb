//! Parts that lines of stills and of live sources have in common.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::Timing;
use crate::geometry::Rect;

#[derive(Serialize)]
pub struct Tag<'a> {
    label: &'a str,
    score: f64,
}

impl<'a> Tag<'a> {
    pub fn new(label: &'a str, score: f32) -> Self {
        Self { label, score: rounded(score, 4) }
    }
}

#[derive(Serialize)]
pub struct Detection<'a> {
    label: &'a str,
    score: f64,
    #[serde(rename = "box")]
    rect: [f64; 4],
}

impl<'a> Detection<'a> {
    pub fn new(label: &'a str, score: f32, rect: &Rect) -> Self {
        Self { label, score: rounded(score, 4), rect: corners(rect) }
    }
}

#[derive(Serialize)]
pub struct Milliseconds {
    decode: f64,
    preprocess: f64,
    vision: f64,
    regions: f64,
    #[serde(rename = "match")]
    matching: f64,
    total: f64,
}

impl Milliseconds {
    pub fn new(timing: &Timing) -> Self {
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
pub struct Keyed<const N: usize, T>(pub [(&'static str, T); N]);

impl<const N: usize, T: Serialize> Serialize for Keyed<N, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// Writes `line` and a line break.
pub fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// In pixels with 1 decimal: left, top, right, bottom.
pub fn corners(rect: &Rect) -> [f64; 4] {
    [rect.x0, rect.y0, rect.x1, rect.y1].map(|v| rounded(v, 1))
}

/// With 3 decimals.
pub fn milliseconds(duration: Duration) -> f64 {
    rounded((duration.as_secs_f64() * 1e3) as f32, 3)
}

/// `value` with so many decimals. In f64, whose shortest decimal form then has no more digits than these.
pub fn rounded(value: f32, decimals: i32) -> f64 {
    let unit = 10f64.powi(decimals);
    (f64::from(value) * unit).round() / unit
}
