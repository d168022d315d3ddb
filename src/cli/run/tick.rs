//! What happens besides looking at frames: status, reload.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::followed::Followed;
use super::status::{Writer, line};
use crate::error::Result;
use crate::pipeline::{Progress, statuses};

/// How often a terminal's line of status changes.
const LINE: Duration = Duration::from_millis(500);
/// How often files are checked for changes.
const FILE: Duration = Duration::from_secs(1);

/// Does each thing when its time has come.
pub(crate) struct Tick {
    change: OnChange,
    /// Of [`OnChange::files`].
    files: Timer,
    /// `None` without a terminal for a line of status.
    line: Option<Timer>,
    /// Status lines in JSON, and who writes them.
    status: Option<(Timer, Writer)>,
}

/// When the configuration is read again.
pub(crate) struct OnChange {
    /// Set by SIGHUP.
    pub hangup: Arc<AtomicBool>,
    /// Files whose changes are followed.
    pub files: Arc<Followed>,
    /// Reads the configuration again.
    pub read: Box<dyn FnMut()>,
}

/// Something that is done every so often.
struct Timer {
    interval: Duration,
    next: Instant,
}

impl Timer {
    /// Due after one interval.
    fn later(interval: Duration) -> Self {
        Self { interval, next: Instant::now() + interval }
    }

    /// Whether it is due at `now`, or at once if `early`; then its next interval begins.
    fn is_due(&mut self, now: Instant, early: bool) -> bool {
        let due = early || now >= self.next;
        if due {
            self.next = now + self.interval;
        }
        due
    }
}

impl Tick {
    /// Reloads. With `terminal`, also keeps a line of status there.
    pub(crate) fn new(change: OnChange, terminal: bool) -> Self {
        let line = terminal.then(|| Timer::later(LINE));
        Self { change, files: Timer::later(FILE), line, status: None }
    }

    /// Also writes status lines in JSON, one every `interval`. `stop` is set when nobody reads them any more.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub(crate) fn write_status(&mut self, interval: Duration, stop: Arc<AtomicBool>) -> Result<()> {
        self.status = Some((Timer::later(interval), Writer::new(stop)?));
        Ok(())
    }

    /// Called often.
    pub(crate) fn run(&mut self, progress: &mut Progress<'_>) {
        let now = Instant::now();
        if self.line.as_mut().is_some_and(|timer| timer.is_due(now, false)) {
            // The next line on standard output takes its place.
            let _ = write!(std::io::stderr(), "\x1b[2K{}\r", line(&statuses(progress, now)));
        }
        if let Some((timer, writer)) = &mut self.status
            && timer.is_due(now, progress.last)
        {
            writer.write(statuses(progress, now));
        }
        let check = self.files.is_due(now, false);
        if self.change.hangup.swap(false, Ordering::Relaxed) || check && self.change.files.have_changed() {
            (self.change.read)();
        }
    }
}

/// Whether there is a terminal for a line of status.
pub(crate) fn on_terminal() -> bool {
    let lines = std::env::var("TERM").is_ok_and(|term| term != "dumb");
    lines && std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// Clears the terminal's line of status.
impl Drop for Tick {
    fn drop(&mut self) {
        if self.line.is_some() {
            let _ = write!(std::io::stderr(), "\x1b[2K");
        }
    }
}
