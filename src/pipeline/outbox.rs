//! One thread per sink, so that a slow one delays nothing: it loses frames, but no events.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::durations::Durations;
use super::reasons::Reasons;
use crate::error::Result;
use crate::report::{FrameReport, Latency};
use crate::sinks::Sink;
use crate::system::start_thread;

/// Queued reports per sink; beyond that, those without events are dropped.
const QUEUED: usize = 8;
/// Queued reports with pictures for a sink that wants them; the pictures of more are dropped.
const PICTURES: usize = 32;
/// Queued reports with events; more would fill the memory.
const LONGEST: usize = 10_000;
/// How long sinks may go on writing after the program was told to stop.
const GRACE: Duration = Duration::from_millis(1500);

/// The queue in front of one sink.
pub(crate) struct Outbox {
    name: String,
    wants_pictures: bool,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    reports: VecDeque<(Instant, Arc<FrameReport>)>,
    /// The one the sink is taking now.
    working: Option<(Instant, Arc<FrameReport>)>,
    closed: bool,
    /// The reader of standard output has gone.
    gone: bool,
    counts: SinkCounts,
    times: Durations,
}

/// What became of the reports for a sink.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SinkCounts {
    /// Taken by the sink.
    pub taken: u64,
    /// Frames, or their pictures, dropped because the sink was slow.
    pub lost_frames: u64,
    /// Events dropped because the sink was slow for very long.
    pub lost_events: u64,
    /// Reports that the sink failed to take.
    pub failed: u64,
}

impl Outbox {
    /// Starts the sink's thread.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) if the system has none left.
    pub(crate) fn new(mut sink: Box<dyn Sink>) -> Result<Self> {
        let shared = Arc::<Shared>::default();
        let (name, wants_pictures) = (sink.name().to_owned(), sink.wants_pictures());
        let theirs = Arc::clone(&shared);
        let thread = start_thread(&name, move || serve(sink.as_mut(), &theirs))?;
        Ok(Self { name, wants_pictures, shared, thread })
    }

    /// Queues a report without waiting. If the sink is behind, the oldest reports without events are dropped.
    pub(crate) fn offer(&self, report: &Arc<FrameReport>) {
        let mut queue = self.shared.lock();
        if queue.gone {
            return;
        }
        let before = queue.counts;
        queue.reports.push_back((Instant::now(), Arc::clone(report)));
        queue.make_room(self.wants_pictures);
        let now = queue.counts;
        drop(queue);
        self.shared.changed.notify_all();
        log_losses(&self.name, "frames", before.lost_frames, now.lost_frames);
        log_losses(&self.name, "events", before.lost_events, now.lost_events);
    }

    /// Whether the next report would displace another. Callers that must not drop frames wait.
    pub(crate) fn is_full(&self) -> bool {
        let queue = self.shared.lock();
        queue.reports.len() >= QUEUED && !queue.gone
    }

    /// What messages call the sink.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the sink wants pictures.
    pub(crate) fn wants_pictures(&self) -> bool {
        self.wants_pictures
    }

    /// Whether the reader of the sink's output has gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.shared.lock().gone
    }

    /// Age of the oldest report that the sink has not finished.
    pub(crate) fn lag(&self) -> Duration {
        let queue = self.shared.lock();
        let oldest = queue.working.as_ref().or(queue.reports.front());
        oldest.map_or(Duration::ZERO, |(since, _)| since.elapsed())
    }

    fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }

    /// Counts what the sink has not taken as lost.
    fn abandon(&self) {
        let mut queue = self.shared.lock();
        let left = std::mem::take(&mut queue.reports);
        for (_, report) in queue.working.take().into_iter().chain(left) {
            queue.counts.lost_frames += u64::from(report.events.is_empty());
            queue.counts.lost_events += report.events.len() as u64;
        }
    }

    /// Time the sink takes per report, over the latest ones; `None` before the first.
    pub(crate) fn latest(&self) -> Option<Latency> {
        self.shared.lock().times.latest()
    }

    /// The same over all reports, at most 1/32 off.
    pub(crate) fn overall(&self) -> Option<Latency> {
        self.shared.lock().times.overall()
    }

    /// What became of reports so far.
    pub(crate) fn counts(&self) -> SinkCounts {
        self.shared.lock().counts
    }
}

/// Waits until the sinks have taken everything; once `stop` is set, only for a short time. A thread that is
/// stuck in a write then ends with the program.
pub(crate) fn finish(outboxes: &[Outbox], stop: &AtomicBool) {
    outboxes.iter().for_each(Outbox::close);
    let mut until = None;
    while !outboxes.iter().all(|outbox| outbox.thread.is_finished()) {
        if stop.load(Ordering::Relaxed)
            && Instant::now() >= *until.get_or_insert_with(|| Instant::now() + GRACE)
        {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    outboxes.iter().filter(|outbox| !outbox.thread.is_finished()).for_each(Outbox::abandon);
}

/// A sink that [`finish`] has not waited for ends on its own.
impl Drop for Outbox {
    fn drop(&mut self) {
        self.close();
    }
}

/// Logs the first, second, fourth, eighth … loss.
fn log_losses(sink: &str, what: &str, before: u64, now: u64) {
    if (before + 1..=now).any(u64::is_power_of_two) {
        tracing::warn!("{sink}: too slow, {what} dropped ({now} so far)");
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn make_room(&mut self, pictures: bool) {
        while self.reports.len() > QUEUED {
            let Some(plain) = self.reports.iter().position(|(_, report)| report.events.is_empty()) else {
                break;
            };
            self.reports.remove(plain);
            self.counts.lost_frames += 1;
        }
        let excess = self.reports.len().saturating_sub(if pictures { PICTURES } else { QUEUED });
        if let Some((_, report)) = excess.checked_sub(1).and_then(|i| self.reports.get_mut(i))
            && report.picture.is_some()
        {
            *report = Arc::new(FrameReport { picture: None, ..FrameReport::clone(report) });
            self.counts.lost_frames += u64::from(pictures);
        }
        while self.reports.len() > LONGEST {
            let events = self.reports.pop_front().map_or(0, |(_, report)| report.events.len());
            self.counts.lost_events += events as u64;
        }
    }
}

fn serve(sink: &mut dyn Sink, shared: &Shared) {
    let mut reasons = Reasons::default();
    loop {
        let mut queue = shared.lock();
        while queue.reports.is_empty() && !queue.closed {
            queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let Some((since, report)) = queue.reports.pop_front() else { return };
        queue.working = Some((since, Arc::clone(&report)));
        drop(queue);
        shared.changed.notify_all();
        let started = Instant::now();
        let taken = sink.take(&report);
        let mut queue = shared.lock();
        queue.working = None;
        queue.times.add(started.elapsed());
        match taken {
            Ok(()) => {
                queue.counts.taken += 1;
                drop(queue);
                let recovery = if sink.was_idle() { None } else { reasons.succeeded(Instant::now()) };
                if let Some(recovery) = recovery {
                    tracing::info!("{}: works {recovery}", sink.name());
                }
            }
            Err(error) if error.io_error().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) => {
                queue.gone = true;
                drop(queue);
                shared.changed.notify_all();
                return;
            }
            Err(error) => {
                queue.counts.failed += 1;
                drop(queue);
                let why = error.to_string();
                if let Some(count) = reasons.failed(&why, Instant::now()) {
                    // A file or folder begins its own errors with its name.
                    let name = if why.starts_with(sink.name()) { "" } else { &format!("{}: ", sink.name()) };
                    tracing::warn!("{name}{why} ({count} so far)");
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
