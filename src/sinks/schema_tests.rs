//! Compares `docs/schema/live-1.schema.json` with what sinks write, in both directions.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, SystemTime};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

use super::tests::{frame_report, show};
use super::*;
use crate::events::EventKind;
use crate::geometry::Rect;
use crate::model::{FeatureVector, SpaceId};
use crate::report::samples::events;
use crate::report::{FeatureRecord, FrameReport, Latency, STAGES};

const FILE: &str = "docs/schema/live-1.schema.json";

struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
    /// Names of all properties that the schema describes.
    known: BTreeSet<String>,
}

fn schema() -> Schema {
    let text: Value = serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
    let mut known = BTreeSet::new();
    properties(&text, &mut known);
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource("urn:edgeclip:live-1", text).unwrap();
    let index = compiler.compile("urn:edgeclip:live-1", &mut schemas).unwrap();
    Schema { schemas, index, known }
}

fn properties(schema: &Value, known: &mut BTreeSet<String>) {
    let inside: Vec<&Value> = match schema {
        Value::Object(keys) => keys.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    if let Some(named) = schema.get("properties").and_then(Value::as_object) {
        known.extend(named.keys().cloned());
    }
    inside.into_iter().for_each(|value| properties(value, known));
}

impl Schema {
    fn fits(&self, line: &Value) -> Result<(), String> {
        self.schemas.validate(line, self.index).map_err(|error| format!("{error}\n{line}"))
    }
}

fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(keys_and_values) => {
            found.extend(keys_and_values.keys().cloned());
            keys_and_values.values().for_each(|value| keys(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

/// Lines of every kind, as the sinks write them.
fn lines() -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.jsonl");
    let hash = |digit: &str| digit.repeat(64);
    let space = SpaceId { vision_sha256: hash("a"), prompt_sha256: hash("b"), features_sha256: hash("c") };
    let vector = FeatureVector::quantised(&[3.0, -4.0]).unwrap();
    let boxed = FeatureRecord::new(&space, &vector, Some(Rect { x0: 1.0, y0: 2.0, x1: 3.0, y1: 4.0 }));
    let whole = FeatureRecord::new(&space, &vector, None);
    let features = vec![Some(boxed), None, Some(whole)];
    let crops = vec![Rect { x0: 0.0, y0: 0.0, x1: 320.0, y1: 240.0 }];
    let busy = FrameReport { events: events(), features, crops, ..frame_report() };
    let empty =
        FrameReport { tags: Vec::new(), detections: Vec::new(), tracks: Vec::new(), ..frame_report() };
    let mut sink = LiveJsonl::new(Output::new("lines", std::fs::File::create(&path).unwrap()), Lines::All);
    [&busy, &empty].iter().for_each(|report| sink.take(report).unwrap());
    let mut text = fs::read(&path).unwrap();

    let latency = Some(Latency { p50: Duration::from_millis(90), p99: Duration::from_millis(150) });
    let sinks = vec![SinkStatus {
        name: "out".to_owned(),
        lag: Duration::from_millis(3),
        write: latency,
        lost: 1,
        failed: 0,
    }];
    let status = Status {
        source: "rtsp://camera/1".to_owned(),
        time: SystemTime::now(),
        fps_captured: 25.0,
        fps_looked: 9.9,
        captured: 0,
        looked: 0,
        dropped: 3,
        broken: 2,
        stalled: 1,
        latency,
        stages: latency.map(|latency| [latency; STAGES.len()]),
        temperature: Some(55.5),
        throttled: vec!["under-voltage".to_owned()],
        rate: 0.8,
        behind: true,
        sinks,
    };
    write_status(&mut text, &status).unwrap();
    write_status(
        &mut text,
        &Status { latency: None, stages: None, temperature: None, sinks: Vec::new(), ..status },
    )
    .unwrap();
    let mut lines: Vec<Value> =
        std::str::from_utf8(&text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    let options = SnapshotOptions {
        kinds: EventKind::ALL.into(),
        plain: true,
        ..SnapshotOptions::new(folder.path().join("snapshots"))
    };
    show(&mut Snapshots::new(options).unwrap(), &busy).unwrap();
    for file in fs::read_dir(folder.path().join("snapshots")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            lines.push(serde_json::from_slice(&fs::read(path).unwrap()).unwrap());
        }
    }
    lines
}

#[test]
fn every_line_fits_the_schema_and_every_key_is_described() {
    let (schema, lines) = (schema(), lines());
    let count = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    let counts = ["frame", "event", "status", "snapshot"].map(count);
    assert_eq!(counts, [2, events().len(), 2, events().len()]);
    let mut written = BTreeSet::new();
    for line in &lines {
        schema.fits(line).unwrap();
        keys(line, &mut written);
    }
    assert_eq!(written, schema.known);
}

#[test]
fn lines_that_lack_a_key_or_hold_something_else_do_not_fit() {
    let schema = schema();
    for line in lines() {
        for key in line.as_object().unwrap().keys() {
            let mut less = line.clone();
            less.as_object_mut().unwrap().remove(key);
            // What an event's object looks like is not always known, and few frames are looked at closely.
            let optional = ["features", "crops"].contains(&key.as_str());
            assert_eq!(schema.fits(&less).is_ok(), optional, "without {key}: {less}");
            let mut other = line.clone();
            other[key] = json!({"unexpected": -1});
            assert!(schema.fits(&other).is_err(), "fits with another {key}: {other}");
        }
    }
}
