//! Faults in turn on three sources, each of which is told, as is each recovery; for as many seconds as
//! `EDGECLIP_FAULT_SECONDS` says, at least once each.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;

use super::apart::{children, unbroken, watch};
use super::camera::Camera;
use super::rtsp::{self, Script, Step};
use crate::common::film::{Studio, jpeg};
use crate::common::live::{Running, is};

/// What is running, and what it has written.
struct Watched {
    running: Running,
    lines: Vec<Value>,
    /// Lines of standard error before the present fault.
    told: usize,
    /// Whether everything must be told: what keeps happening is told ever more rarely.
    first: bool,
}

impl Watched {
    /// Waits for a line of this source.
    fn until(&mut self, source: &str, wanted: impl Fn(&Value) -> bool) {
        let lines = self.running.until(|line| line["source"] == source && wanted(line));
        self.lines.extend(lines);
    }

    /// How often something has happened to a source so far.
    fn count(&self, source: &str, key: &str) -> u64 {
        let of_source = |line: &&Value| is(line, "status") && line["source"] == source;
        self.lines.iter().rev().find(of_source).map_or(0, |line| line[key].as_u64().unwrap())
    }

    fn begin(&mut self) {
        self.told = self.running.told_so_far();
    }

    fn tells(&mut self, parts: &[&str]) {
        if self.first {
            self.running.tells_after(self.told, parts);
        }
    }

    /// A fault of a source, from when it is noticed until it is over.
    fn fault(&mut self, source: &str, key: &'static str, told: &str, mut happen: impl FnMut(&Running)) {
        self.begin();
        let before = self.count(source, key);
        happen(&self.running);
        self.until(source, |line| is(line, "status") && line[key].as_u64() > Some(before));
        self.tells(&[source, told]);
    }

    fn recovery(&mut self, source: &str) {
        self.until(source, |line| is(line, "frame"));
        self.tells(&[source, "works again after "]);
    }
}

#[test]
fn each_fault_and_each_recovery_is_told() {
    let seconds = std::env::var("EDGECLIP_FAULT_SECONDS").map_or(0, |text| text.parse().unwrap());
    let folder = tempdir().unwrap();
    let picture = jpeg(&Studio::new().picture(Some(60)));
    let mut http = Camera::new(&picture);
    let (port, url) = (http.port(), http.url());
    // Each session is closed after some pictures.
    let pictures = rtsp_pictures().into_iter();
    let steps = pictures.flat_map(|unit| [Step::Send(unit), Step::Wait(Duration::from_millis(60))]);
    let script = Script::new(steps.chain([Step::Close]));
    let rtsp = rtsp::Camera::start(vec![script; 100 + seconds as usize]);
    let cameras = [url.clone(), rtsp.url()];
    let running = watch(folder.path(), &cameras, &["--status", "0.2"]);
    let mut watched = Watched { running, lines: Vec::new(), told: 0, first: true };
    watched.until(&url, |line| is(line, "frame"));
    let begun = Instant::now();
    // However early that was.
    watched.tells(&[&rtsp.url(), "closed the connection (1 stall so far)"]);
    watched.tells(&[&rtsp.url(), "works again after "]);
    while watched.first || begun.elapsed() < Duration::from_secs(seconds) {
        watched.fault(&url, "broken", "broken frame", |_| http.shows(b"\xff\xd8\xff\xd9, no picture"));
        http.shows(&picture);
        watched.recovery(&url);
        watched.fault(&url, "stalled", "the decoder died: signal 11", |running| {
            for decoder in children(running.pid()).into_iter().flat_map(children) {
                Command::new("sh").args(["-c", "kill -SEGV $0", &decoder.to_string()]).status().unwrap();
            }
        });
        watched.recovery(&url);
        let mut gone = Some(http);
        watched.fault(&url, "stalled", " so far)", |_| drop(gone.take()));
        http = Camera::at(port, &picture);
        watched.recovery(&url);
        watched.fault(&url, "stalled", " so far)", |_| http.falls_silent_after(1));
        http.falls_silent_after(0);
        watched.recovery(&url);
        configure(&mut watched, folder.path());
        watched.first = false;
    }
    watched.running.signal("TERM");
    let ended = watched.running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    watched.lines.extend(ended.lines);
    assert!(unbroken(&watched.lines) > 0);
}

/// A configuration that cannot be used is told, and the next one is taken.
fn configure(watched: &mut Watched, folder: &std::path::Path) {
    let path = folder.join("watch.toml");
    let good = fs::read_to_string(&path).unwrap();
    watched.begin();
    fs::write(&path, "no such key = 1").unwrap();
    watched.running.tells_after(watched.told, &["keeping the previous configuration"]);
    watched.begin();
    fs::write(&path, good).unwrap();
    watched.running.tells_after(watched.told, &["reloaded prompts, zones and rates"]);
}

/// The access units of a committed film: the NAL units of each picture, which a delimiter begins.
pub(crate) fn rtsp_pictures() -> Vec<Vec<Vec<u8>>> {
    let bytes = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/h264/squares.h264")).unwrap();
    let text: Vec<usize> =
        bytes.windows(3).enumerate().filter(|(_, at)| *at == [0, 0, 1]).map(|(at, _)| at).collect();
    let ends = text.iter().skip(1).copied().chain([bytes.len()]);
    let mut units: Vec<Vec<Vec<u8>>> = Vec::new();
    for (start, end) in text.iter().zip(ends) {
        let nal = &bytes[start + 3..end];
        let nal = nal.strip_suffix(&[0]).unwrap_or(nal);
        match nal[0] & 0x1f {
            9 => units.push(Vec::new()),
            _ => units.last_mut().unwrap().push(nal.to_vec()),
        }
    }
    units
}
