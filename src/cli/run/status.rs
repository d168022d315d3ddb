//! The state of sources and sinks, as lines of JSON or one line for a terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::super::print;
use crate::error::Result;
use crate::sinks::{Status, write_status};
use crate::system::start_thread;

/// How long the last lines of status may take.
const GRACE: Duration = Duration::from_secs(1);

/// A thread that writes status lines, so that a slow reader of standard output delays nothing else.
pub(crate) struct Writer {
    /// `None` at the end.
    sender: Option<SyncSender<Vec<Status>>>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Sets `stop` when nobody reads any more.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn new(stop: Arc<AtomicBool>) -> Result<Self> {
        let (sender, statuses) = sync_channel::<Vec<Status>>(1);
        let thread = start_thread("status", move || {
            for status in statuses.into_iter().flatten() {
                match print(|out| write_status(out, &status)) {
                    Ok(false) => {}
                    Ok(true) => return stop.store(true, Ordering::Relaxed),
                    Err(error) => tracing::warn!("{error:#}"),
                }
            }
        })?;
        Ok(Self { sender: Some(sender), thread })
    }

    /// Drops these if the ones before have not been written yet.
    pub(crate) fn write(&self, statuses: Vec<Status>) {
        if let Some(sender) = &self.sender {
            let _ = sender.try_send(statuses);
        }
    }
}

/// Waits until everything is written, but not for long.
impl Drop for Writer {
    fn drop(&mut self) {
        self.sender = None;
        let until = Instant::now() + GRACE;
        while !self.thread.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// One line for a terminal.
pub(crate) fn line(statuses: &[Status]) -> String {
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::report::Latency;

    #[test]
    fn a_line_gives_rates_once_there_are_any() {
        let mut status = Status {
            source: "door".to_owned(),
            time: SystemTime::UNIX_EPOCH,
            fps_captured: 0.0,
            fps_looked: 0.0,
            captured: 0,
            looked: 0,
            dropped: 0,
            broken: 2,
            stalled: 1,
            latency: None,
            stages: None,
            temperature: Some(61.4),
            throttled: Vec::new(),
            rate: 0.8,
            behind: false,
            sinks: Vec::new(),
        };
        assert_eq!(line(&[status.clone()]), "door waiting 3 faults | 61 °C | 80 % of the rate");
        (status.fps_captured, status.fps_looked, status.broken, status.stalled) = (29.97, 10.0, 0, 0);
        let ms = Duration::from_millis;
        status.latency = Some(Latency { p50: ms(40), p99: ms(95) });
        (status.temperature, status.rate, status.behind) = (None, 1.0, true);
        assert_eq!(line(&[status]), "door 10.0 of 30.0 fps, 40/95 ms | behind");
    }
}
