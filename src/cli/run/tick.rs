//! What happens beside looking at frames: thermometer, status, reload.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use super::super::print;
use super::followed::Followed;
use crate::pipeline::{Feed, Report};
use crate::sinks::{SinkStatus, Status, write_status};
use crate::system::thermal;

/// How often temperatures are read.
const THERMOMETER: Duration = Duration::from_secs(2);
/// How often a terminal's line of status changes.
const LINE: Duration = Duration::from_millis(500);
/// How often files' times are looked at.
const FILE: Duration = Duration::from_secs(1);
/// How often captured frames are counted.
const COUNT: Duration = Duration::from_millis(250);
/// How long the last lines of status may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Does each thing when its time has come.
pub struct Tick {
    /// Time between two status lines in JSON, and who writes them; `None` for none.
    status: Option<(Duration, Writer)>,
    /// Set by SIGHUP.
    hangup: Arc<AtomicBool>,
    /// Files whose changes are followed.
    files: Arc<Followed>,
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
    files: Instant,
    count: Instant,
}

impl Tick {
    /// Nothing is due before its time has passed once, but for the thermometer. `stop` is set when nobody reads status lines any more.
    pub fn new(
        status: Option<Duration>,
        stop: Arc<AtomicBool>,
        hangup: Arc<AtomicBool>,
        files: Arc<Followed>,
        terminal: bool,
        reload: Box<dyn FnMut()>,
    ) -> Self {
        let now = Instant::now();
        let next = Next {
            thermometer: now,
            line: now + LINE,
            status: now + status.unwrap_or_default(),
            files: now + FILE,
            count: now,
        };
        let status = status.map(|interval| (interval, Writer::new(stop)));
        Self { status, hangup, files, reload, terminal, next }
    }

    /// Called often.
    pub fn run(&mut self, report: &mut Report<'_>) {
        let now = Instant::now();
        if now >= self.next.thermometer {
            self.next.thermometer = now + THERMOMETER;
            measure(report);
        }
        if now >= self.next.count {
            self.next.count = now + COUNT;
            count(report, now);
        }
        if self.terminal && now >= self.next.line {
            self.next.line = now + LINE;
            // Standard output's next line takes its place.
            let _ = write!(std::io::stderr(), "\x1b[2K{}\r", line(&statuses(report, now)));
        }
        if let Some((interval, writer)) = &self.status
            && (now >= self.next.status || report.last)
        {
            self.next.status = now + *interval;
            writer.write(statuses(report, now));
        }
        let look = now >= self.next.files;
        if look {
            self.next.files = now + FILE;
        }
        if self.hangup.swap(false, Ordering::Relaxed) || look && self.files.have_changed() {
            (self.reload)();
        }
    }
}

/// Whether there is a terminal for a line of status.
pub fn on_terminal() -> bool {
    let lines = std::env::var("TERM").is_ok_and(|term| term != "dumb");
    lines && std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// The terminal's line of status goes.
impl Drop for Tick {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\x1b[2K");
        }
    }
}

/// A thread that writes status lines, so that a slow reader of standard output holds nothing up.
struct Writer {
    /// `None` at the end.
    sender: Option<SyncSender<Vec<Status>>>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Sets `stop` when nobody reads any more.
    fn new(stop: Arc<AtomicBool>) -> Self {
        let (sender, statuses) = sync_channel::<Vec<Status>>(1);
        let thread = thread::spawn(move || {
            for status in statuses.into_iter().flatten() {
                match print(|out| write_status(out, &status)) {
                    Ok(false) => {}
                    Ok(true) => return stop.store(true, Ordering::Relaxed),
                    Err(error) => tracing::warn!("{error}"),
                }
            }
        });
        Self { sender: Some(sender), thread }
    }

    /// Where the ones before are not read yet, these are old before anybody reads them, and left out.
    fn write(&self, statuses: Vec<Status>) {
        if let Some(sender) = &self.sender {
            let _ = sender.try_send(statuses);
        }
    }
}

/// Waits until all is written, but not for long.
impl Drop for Writer {
    fn drop(&mut self) {
        self.sender = None;
        let until = Instant::now() + FAREWELL;
        while !self.thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
    }
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

/// Rates are of what is counted here.
fn count(report: &mut Report<'_>, now: Instant) {
    for (index, feed) in report.feeds.iter_mut().enumerate() {
        feed.stats.captured(now, report.mailbox.counts(index).captured);
    }
}

/// How each source fares.
fn statuses(report: &mut Report<'_>, now: Instant) -> Vec<Status> {
    count(report, now);
    let sinks = report.outboxes.iter().map(|outbox| SinkStatus {
        name: outbox.name().to_owned(),
        lag: outbox.lag(),
        write: outbox.latest(),
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
        latency: feed.stats.latency(),
        stages: feed.stats.stages(),
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
        let rates = status.latency.map_or_else(
            || "waiting".to_owned(),
            |latency| {
                let (looked, captured) = (status.fps_looked, status.fps_captured);
                format!("{looked:.1} of {captured:.1} fps, {:.0}/{:.0} ms", ms(latency.p50), ms(latency.p99))
            },
        );
        let faults = status.broken + status.stalled;
        let faults = if faults > 0 { format!(" {faults} faults") } else { String::new() };
        format!("{} {rates}{faults}", status.source)
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
