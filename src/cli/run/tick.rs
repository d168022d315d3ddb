//! What happens beside looking at frames: thermometer, status, reload.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::followed::Followed;
use super::status::{Writer, line, statuses};
use crate::pipeline::Report;
use crate::system::thermal;

/// How often temperatures are read.
const THERMOMETER: Duration = Duration::from_secs(2);
/// How often a terminal's line of status changes.
const LINE: Duration = Duration::from_millis(500);
/// How often files' times are looked at.
const FILE: Duration = Duration::from_secs(1);

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
