//! The state of a running source, as one line of JSON from time to time.

use std::io::{Result, Write};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::clock::unix;
use super::json::{Keyed, milliseconds, write_line};
use super::live_jsonl::VERSION;
use crate::report::{Latency, STAGES, rounded};

/// The state of one source and of its sinks. Counts are since the start, rates and times of the last
/// interval.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Status {
    /// The source's name.
    pub source: String,
    /// Now.
    pub time: SystemTime,
    /// Frames per second that the source delivers.
    pub fps_captured: f32,
    /// Frames per second that are looked at.
    pub fps_looked: f32,
    /// Frames that arrived.
    pub captured: u64,
    /// Frames that were looked at.
    pub looked: u64,
    /// Frames that arrived while another one was looked at.
    pub dropped: u64,
    /// Frames that could not be decoded.
    pub broken: u64,
    /// How often no frame came in time, or the source was gone.
    pub stalled: u64,
    /// Time from capture to result; `None` if no frame was looked at.
    pub latency: Option<Latency>,
    /// Time of each of [`STAGES`]; `None` if no frame was looked at.
    pub stages: Option<[Latency; STAGES.len()]>,
    /// Of the hottest sensor in degrees Celsius; `None` if there is none.
    pub temperature: Option<f32>,
    /// What slows the processor down now, in words; empty if nothing does.
    pub throttled: Vec<String>,
    /// Share of the requested rate that is left under throttling, above 0 and up to 1.
    pub rate: f32,
    /// Whether the requested rate is more than the machine can do.
    pub behind: bool,
    /// Each sink.
    pub sinks: Vec<SinkStatus>,
}

/// The state of one sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SinkStatus {
    /// The sink's name.
    pub name: String,
    /// Age of its oldest queued report.
    pub lag: Duration,
    /// Time that it takes per report; `None` before the first.
    pub write: Option<Latency>,
    /// Reports that it missed because it was slow.
    pub lost: u64,
    /// How often it failed.
    pub failed: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    r#type: &'static str,
    version: u32,
    source: &'a str,
    time: f64,
    fps_captured: f64,
    fps_looked: f64,
    dropped: u64,
    broken: u64,
    stalled: u64,
    latency_ms: Option<Percentiles>,
    stages_ms: Option<Keyed<{ STAGES.len() }, Percentiles>>,
    temperature: Option<f64>,
    throttled: &'a [String],
    rate: f64,
    behind: bool,
    sinks: Vec<SinkLine<'a>>,
}

#[derive(Serialize)]
struct Percentiles {
    p50: f64,
    p99: f64,
}

#[derive(Serialize)]
struct SinkLine<'a> {
    name: &'a str,
    lag_ms: f64,
    write_ms: Option<Percentiles>,
    lost: u64,
    failed: u64,
}

/// Writes `status` as one line: rates with 2 decimals, degrees with 1, milliseconds with 3.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_status(out: &mut impl Write, status: &Status) -> Result<()> {
    let percentiles =
        |latency: Latency| Percentiles { p50: milliseconds(latency.p50), p99: milliseconds(latency.p99) };
    let named = |(name, latency)| (name, percentiles(latency));
    let sinks = status.sinks.iter().map(|sink| SinkLine {
        name: &sink.name,
        lag_ms: milliseconds(sink.lag),
        write_ms: sink.write.map(percentiles),
        lost: sink.lost,
        failed: sink.failed,
    });
    let line = Line {
        r#type: "status",
        version: VERSION,
        source: &status.source,
        time: unix(status.time),
        fps_captured: rounded(status.fps_captured, 2),
        fps_looked: rounded(status.fps_looked, 2),
        dropped: status.dropped,
        broken: status.broken,
        stalled: status.stalled,
        latency_ms: status.latency.map(percentiles),
        stages_ms: status.stages.map(|stages| Keyed(zipped(STAGES, stages).map(named))),
        temperature: status.temperature.map(|celsius| rounded(celsius, 1)),
        throttled: &status.throttled,
        rate: rounded(status.rate, 2),
        behind: status.behind,
        sinks: sinks.collect(),
    };
    write_line(out, &line)
}

fn zipped<const N: usize>(names: [&'static str; N], values: [Latency; N]) -> [(&'static str, Latency); N] {
    let mut values = values.into_iter();
    names.map(|name| (name, values.next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line() {
        let ms =
            |p50: u64, p99: u64| Latency { p50: Duration::from_millis(p50), p99: Duration::from_millis(p99) };
        let lag = Duration::from_micros(1500);
        let sink = SinkStatus { name: "out.jsonl".into(), lag, write: Some(ms(2, 9)), lost: 2, failed: 1 };
        let status = Status {
            source: "/dev/video0".into(),
            time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_315_200_123),
            fps_captured: 29.987,
            fps_looked: 10.0,
            captured: 1000,
            looked: 900,
            dropped: 41,
            broken: 1,
            stalled: 0,
            latency: Some(ms(105, 160)),
            stages: Some([ms(20, 70), ms(1, 2), ms(0, 1), ms(80, 88), ms(3, 4), ms(1, 1), ms(0, 0)]),
            temperature: Some(61.24),
            throttled: vec!["clock capped".into()],
            rate: 0.64,
            behind: false,
            sinks: vec![sink],
        };
        let text = |status: &Status| {
            let mut line = Vec::new();
            write_status(&mut line, status).unwrap();
            String::from_utf8(line).unwrap()
        };
        let expected = concat!(
            r#"{"type":"status","version":1,"source":"/dev/video0","time":1795315200.123,"fps_captured":29.99,"#,
            r#""fps_looked":10.0,"dropped":41,"broken":1,"stalled":0,"latency_ms":{"p50":105.0,"p99":160.0},"#,
            r#""stages_ms":{"queue":{"p50":20.0,"p99":70.0},"decode":{"p50":1.0,"p99":2.0},"#,
            r#""preprocess":{"p50":0.0,"p99":1.0},"vision":{"p50":80.0,"p99":88.0},"regions":{"p50":3.0,"p99":4.0},"#,
            r#""match":{"p50":1.0,"p99":1.0},"track":{"p50":0.0,"p99":0.0}},"#,
            r#""temperature":61.2,"throttled":["clock capped"],"rate":0.64,"behind":false,"#,
            r#""sinks":[{"name":"out.jsonl","lag_ms":1.5,"write_ms":{"p50":2.0,"p99":9.0},"lost":2,"failed":1}]}"#,
            "\n"
        );
        assert_eq!(text(&status), expected);
        let unknown =
            text(&Status { latency: None, stages: None, temperature: None, throttled: Vec::new(), ..status });
        assert!(
            unknown.contains(r#""latency_ms":null,"stages_ms":null,"temperature":null,"throttled":[],"#),
            "{unknown}"
        );
    }
}
