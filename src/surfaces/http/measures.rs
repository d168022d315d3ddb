//! What is counted and timed of a source, as Prometheus takes it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::events::{Event, EventKind};
use crate::report::{FrameReport, STAGES};
use crate::sinks::Status;

/// Upper bounds of the buckets of times, in seconds.
const BOUNDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.5, 10.0];
/// Most names with counts of their own: each is a series that somebody keeps for years.
const LABELS: usize = 250;
/// What stands for the others.
const OTHERS: &str = "(others)";

/// Times by how long they were.
#[derive(Debug, Clone, Default)]
struct Histogram {
    /// One per bound, and one for what is longer.
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
}

/// Of one source.
#[derive(Debug, Clone, Default)]
pub(super) struct Measures {
    latency: Histogram,
    stages: [Histogram; STAGES.len()],
    detections: BTreeMap<Arc<str>, u64>,
    tracks: BTreeMap<Arc<str>, u64>,
    occupancy: BTreeMap<(Arc<str>, Arc<str>), u32>,
    events: BTreeMap<&'static str, u64>,
}

impl Histogram {
    fn add(&mut self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum += seconds;
    }

    fn write(&self, out: &mut String, name: &str, labels: &str) {
        let mut count = 0;
        let bounds = BOUNDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        for (bound, number) in bounds.zip(self.counts) {
            count += number;
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}\n{name}_count{{{labels}}} {count}", self.sum);
    }
}

impl Measures {
    /// Counts what a report holds.
    pub(super) fn add(&mut self, report: &FrameReport) {
        for event in &report.events {
            *self.events.entry(EventKind::of(event).name()).or_default() += 1;
            if let Event::Occupancy { zone, label, count, .. } = event {
                let known = (Arc::clone(zone), Arc::clone(label));
                if self.occupancy.len() < LABELS || self.occupancy.contains_key(&known) {
                    self.occupancy.insert(known, *count);
                }
            }
        }
        self.tracks.values_mut().for_each(|count| *count = 0);
        for track in &report.tracks {
            *bounded(&mut self.tracks, &track.label) += 1;
        }
        if !report.looked {
            return;
        }
        self.latency.add(report.latency);
        for (histogram, took) in self.stages.iter_mut().zip(report.timing.stages()) {
            histogram.add(took);
        }
        for detection in &report.detections {
            *bounded(&mut self.detections, &detection.label) += 1;
        }
    }
}

fn bounded<'a>(counts: &'a mut BTreeMap<Arc<str>, u64>, label: &Arc<str>) -> &'a mut u64 {
    let is_known = counts.len() < LABELS || counts.contains_key(label);
    let label = if is_known { Arc::clone(label) } else { OTHERS.into() };
    counts.entry(label).or_default()
}

/// All that there is to scrape, in Prometheus' text form 0.0.4. Sources come with what they have counted and how they
/// are.
pub(super) fn exposition(build: &[(&str, &str)], sources: &[(String, Measures, Option<Status>)]) -> String {
    let mut out = String::new();
    let mut family = |name: &str, kind: &str, help: &str| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        std::mem::take(&mut out)
    };
    let mut text = family("edgeclip_build_info", "gauge", "What this is.");
    let build: Vec<String> =
        build.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
    let _ = writeln!(text, "edgeclip_build_info{{{}}} 1", build.join(","));
    let statuses =
        || sources.iter().filter_map(|(name, _, status)| Some((label("source", name), status.as_ref()?)));
    type Value = fn(&Status) -> f64;
    let counts: [(&str, &str, &str, Value); 9] = [
        ("frames_captured_total", "counter", "Frames that arrived.", |status| status.captured as f64),
        ("frames_looked_total", "counter", "Frames that were looked at.", |status| status.looked as f64),
        ("frames_dropped_total", "counter", "Frames that arrived while another was looked at.", |status| {
            status.dropped as f64
        }),
        ("frames_broken_total", "counter", "Frames that could not be decoded.", |status| {
            status.broken as f64
        }),
        (
            "source_stalls_total",
            "counter",
            "How often no frame came in time, or the source was gone.",
            |status| status.stalled as f64,
        ),
        ("captured_per_second", "gauge", "Frames a second that arrive.", |status| status.fps_captured.into()),
        ("looked_per_second", "gauge", "Frames a second that are looked at.", |status| {
            status.fps_looked.into()
        }),
        ("source_up", "gauge", "Whether frames arrive.", |status| {
            f64::from(u8::from(status.fps_captured > 0.0))
        }),
        ("source_behind", "gauge", "Whether more looks are asked for than the machine can do.", |status| {
            f64::from(u8::from(status.behind))
        }),
    ];
    for (name, kind, help, value) in counts {
        let name = format!("edgeclip_{name}");
        text.push_str(&family(&name, kind, help));
        for (source, status) in statuses() {
            let _ = writeln!(text, "{name}{{{source}}} {}", value(status));
        }
    }
    text.push_str(&family("edgeclip_latency_seconds", "histogram", "From capture to result."));
    for (name, measures, _) in sources {
        measures.latency.write(&mut text, "edgeclip_latency_seconds", &label("source", name));
    }
    text.push_str(&family("edgeclip_stage_seconds", "histogram", "Each stage of a look."));
    for (name, measures, _) in sources {
        for (stage, histogram) in STAGES.iter().zip(&measures.stages) {
            let labels = format!("{},{}", label("source", name), label("stage", stage));
            histogram.write(&mut text, "edgeclip_stage_seconds", &labels);
        }
    }
    type Counts = fn(&Measures) -> &BTreeMap<Arc<str>, u64>;
    let by_label: [(&str, &str, &str, Counts); 2] = [
        ("edgeclip_detections_total", "counter", "Boxes by name.", |measures| &measures.detections),
        ("edgeclip_tracks", "gauge", "Tracked things by name, now.", |measures| &measures.tracks),
    ];
    for (name, kind, help, counts) in by_label {
        text.push_str(&family(name, kind, help));
        for (source, measures, _) in sources {
            for (thing, count) in counts(measures) {
                let _ =
                    writeln!(text, "{name}{{{},{}}} {count}", label("source", source), label("label", thing));
            }
        }
    }
    text.push_str(&family("edgeclip_zone_occupancy", "gauge", "Things in a zone by name, now."));
    for (source, measures, _) in sources {
        for ((zone, thing), count) in &measures.occupancy {
            let labels = [label("source", source), label("zone", zone), label("label", thing)].join(",");
            let _ = writeln!(text, "edgeclip_zone_occupancy{{{labels}}} {count}");
        }
    }
    text.push_str(&family("edgeclip_events_total", "counter", "What has happened, by kind."));
    for (source, measures, _) in sources {
        for (kind, count) in &measures.events {
            let _ = writeln!(
                text,
                "edgeclip_events_total{{{},kind=\"{kind}\"}} {count}",
                label("source", source)
            );
        }
    }
    // These are of the machine, whichever source tells them.
    let Some(status) = sources.iter().find_map(|(_, _, status)| status.as_ref()) else { return text };
    if let Some(celsius) = status.temperature {
        text.push_str(&family("edgeclip_temperature_celsius", "gauge", "The hottest sensor."));
        let _ = writeln!(text, "edgeclip_temperature_celsius{{sensor=\"hottest\"}} {celsius}");
    }
    text.push_str(&family("edgeclip_throttled", "gauge", "Whether something slows the processor down."));
    let _ = writeln!(text, "edgeclip_throttled {}", u8::from(!status.throttled.is_empty()));
    text.push_str(&family("edgeclip_rate_ratio", "gauge", "Part of the rate that heat leaves."));
    let _ = writeln!(text, "edgeclip_rate_ratio {}", status.rate);
    for (name, kind, help) in [
        ("edgeclip_sink_lost_total", "counter", "Reports that an output missed because it was slow."),
        ("edgeclip_sink_failed_total", "counter", "How often an output failed."),
    ] {
        text.push_str(&family(name, kind, help));
        for sink in &status.sinks {
            let value = if name.ends_with("lost_total") { sink.lost } else { sink.failed };
            let _ = writeln!(text, "{name}{{{}}} {value}", label("sink", &sink.name));
        }
    }
    text
}

fn label(key: &str, value: &str) -> String {
    format!("{key}=\"{}\"", escaped(value))
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
#[path = "measures_tests.rs"]
mod tests;
