//! What happens beside looking at frames: thermometer, status, reload.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::super::print;
use crate::pipeline::{Feed, Report};
use crate::sinks::{Latency, SinkStatus, Status, write_status};
use crate::system::thermal;

/// How often temperatures are read.
const THERMOMETER: Duration = Duration::from_secs(2);
/// How often a terminal's line of status changes.
const LINE: Duration = Duration::from_millis(500);
/// How often the configuration file's time is looked at.
const FILE: Duration = Duration::from_secs(1);

/// Does each thing when its time has come.
pub struct Tick {
    /// Time between two status lines in JSON, and who writes them; `None` for none.
    status: Option<(Duration, SyncSender<Vec<Status>>)>,
    /// Set by SIGHUP.
    hangup: Arc<AtomicBool>,
    /// The file whose changes are followed.
    file: Option<Followed>,
    /// Called when the configuration shall be read again.
    reload: Box<dyn FnMut()>,
    terminal: bool,
    next: Next,
}

/// When each thing is due.
struct Next {
    thermometer: Instant,
    line: Instant,
    status: Instant,
    file: Instant,
}

impl Tick {
    /// Nothing is due before its time has passed once, but for the thermometer. `stop` is set when nobody reads status lines any more.
    pub fn new(
        status: Option<Duration>,
        stop: Arc<AtomicBool>,
        hangup: Arc<AtomicBool>,
        file: Option<Followed>,
        reload: Box<dyn FnMut()>,
    ) -> Self {
        let now = Instant::now();
        let next = Next {
            thermometer: now,
            line: now + LINE,
            status: now + status.unwrap_or_default(),
            file: now + FILE,
        };
        let status = status.map(|interval| (interval, writer(stop)));
        let lines = std::env::var("TERM").is_ok_and(|term| term != "dumb");
        let terminal = lines && std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        Self { status, hangup, file, reload, terminal, next }
    }

    /// Called often.
    pub fn run(&mut self, report: &mut Report<'_>) {
        let now = Instant::now();
        if now >= self.next.thermometer {
            self.next.thermometer = now + THERMOMETER;
            measure(report);
        }
        if self.terminal && now >= self.next.line {
            self.next.line = now + LINE;
            // Standard output's next line takes its place.
            let _ = write!(std::io::stderr(), "\x1b[2K{}\r", line(&statuses(report, now)));
        }
        if let Some((interval, writer)) = &self.status
            && now >= self.next.status
        {
            self.next.status = now + *interval;
            // Where the ones before are not read yet, these are old before anybody reads them.
            let _ = writer.try_send(statuses(report, now));
        }
        if self.hangup.swap(false, Ordering::Relaxed)
            || now >= self.next.file && self.file.as_mut().is_some_and(Followed::has_changed)
        {
            (self.reload)();
        }
        if now >= self.next.file {
            self.next.file = now + FILE;
        }
    }
}

/// The terminal's line of status goes.
impl Drop for Tick {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\x1b[2K");
        }
    }
}

/// A file whose changes are followed.
pub struct Followed {
    path: PathBuf,
    changed: Option<SystemTime>,
}

impl Followed {
    /// From now on: to be called before the file is read.
    pub fn new(path: PathBuf) -> Self {
        let changed = modified(&path);
        Self { path, changed }
    }

    fn has_changed(&mut self) -> bool {
        let changed = modified(&self.path);
        // A file that is being replaced may be gone for a moment.
        changed.is_some() && std::mem::replace(&mut self.changed, changed) != changed
    }
}

/// A thread that writes status lines, so that a slow reader of standard output holds nothing up.
fn writer(stop: Arc<AtomicBool>) -> SyncSender<Vec<Status>> {
    let (sender, statuses) = sync_channel::<Vec<Status>>(1);
    thread::spawn(move || {
        for status in statuses.into_iter().flatten() {
            match print(|out| write_status(out, &status)) {
                Ok(false) => {}
                Ok(true) => return stop.store(true, Ordering::Relaxed),
                Err(error) => tracing::warn!("{error}"),
            }
        }
    });
    sender
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}

/// Reads temperatures, and says when they change the rate.
fn measure(report: &mut Report<'_>) {
    let before = report.governor.share();
    report.governor.measured(&thermal(Path::new("/")));
    let share = report.governor.share();
    if (before == 1.0) != (share == 1.0) {
        let celsius =
            report.governor.celsius().map_or_else(String::new, |celsius| format!("{celsius:.0} °C"));
        let reasons: Vec<&str> = report.governor.throttled().iter().map(String::as_str).collect();
        let why = [celsius.as_str()]
            .into_iter()
            .chain(reasons)
            .filter(|why| !why.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        if share < 1.0 {
            tracing::warn!("looks less often because of heat: {why}");
        } else {
            tracing::info!("looks as often as asked for again: {why}");
        }
    }
}

/// How each source fares.
fn statuses(report: &mut Report<'_>, now: Instant) -> Vec<Status> {
    for (index, feed) in report.feeds.iter_mut().enumerate() {
        feed.stats.captured(now, report.mailbox.counts(index).captured);
    }
    let sinks = report.outboxes.iter().map(|outbox| SinkStatus {
        name: outbox.name().to_owned(),
        lag: outbox.lag(),
        lost: outbox.counts().lost_frames + outbox.counts().lost_events,
        failed: outbox.counts().failed,
    });
    let sinks: Vec<SinkStatus> = sinks.collect();
    let (mailbox, governor) = (report.mailbox, &*report.governor);
    let status = |(index, feed): (usize, &mut Feed)| Status {
        source: feed.name.to_string(),
        time: SystemTime::now(),
        fps_captured: feed.stats.captures_per_second(),
        fps_looked: feed.stats.looks_per_second(now),
        dropped: mailbox.counts(index).dropped,
        broken: feed.faults.broken(),
        stalled: feed.faults.stalled() + feed.faults.lost(),
        latency: (feed.stats.looked > 0)
            .then(|| Latency { p50: feed.stats.latency(50), p99: feed.stats.latency(99) }),
        temperature: governor.celsius(),
        throttled: governor.throttled().to_vec(),
        rate: governor.share(),
        behind: governor.is_behind(),
        sinks: sinks.clone(),
    };
    report.feeds.iter_mut().enumerate().map(status).collect()
}

/// One line for a terminal.
fn line(statuses: &[Status]) -> String {
    let one = |status: &Status| {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let latency = status
            .latency
            .map_or_else(|| "waiting".to_owned(), |l| format!("{:.0}/{:.0} ms", ms(l.p50), ms(l.p99)));
        let faults = status.broken + status.stalled;
        let faults = if faults > 0 { format!(" {faults} faults") } else { String::new() };
        format!(
            "{} {:.1} of {:.1} fps, {latency}{faults}",
            status.source, status.fps_looked, status.fps_captured
        )
    };
    let mut parts: Vec<String> = statuses.iter().map(one).collect();
    if let Some(celsius) = statuses.first().and_then(|status| status.temperature) {
        parts.push(format!("{celsius:.0} °C"));
    }
    let slowed = statuses.first().map(|status| status.throttled.join(", ")).filter(|why| !why.is_empty());
    parts.extend(slowed);
    if let Some(rate) = statuses.first().map(|status| status.rate).filter(|rate| *rate < 1.0) {
        parts.push(format!("{:.0} % of the rate", 100.0 * rate));
    }
    if statuses.first().is_some_and(|status| status.behind) {
        parts.push("behind".to_owned());
    }
    parts.join(" | ")
}
