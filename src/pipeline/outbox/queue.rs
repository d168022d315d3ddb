//! One thread per sink, so that a slow one delays nothing: it loses frames, but no events.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Queued;
use super::parcel::Parcel;
use crate::error::Result;
use crate::pipeline::durations::Durations;
use crate::pipeline::reasons::Reasons;
use crate::report::Latency;
use crate::system::start_thread;

/// Queued reports per sink; beyond that, those without events are dropped.
pub(super) const QUEUED: usize = 8;
/// Queued reports with pictures; the pictures of more are dropped.
pub(super) const PICTURES: usize = 32;
/// Queued reports with events; more would fill the memory.
const LONGEST: usize = 10_000;
/// The queue in front of one sink.
pub(crate) struct Outbox<P: Parcel> {
    name: String,
    pub(super) shared: Arc<Shared<P>>,
    thread: JoinHandle<()>,
}

pub(super) struct Shared<P> {
    queue: Mutex<Queue<P>>,
    changed: Condvar,
}

pub(super) struct Queue<P> {
    pub(super) parcels: VecDeque<(Instant, P)>,
    /// The one the sink is taking now: since when it waits, and its events.
    pub(super) working: Option<(Instant, usize)>,
    closed: bool,
    /// The reader of standard output has gone.
    gone: bool,
    pub(super) counts: SinkCounts,
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

impl<P: Parcel> Outbox<P> {
    /// Starts the sink's thread.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) if the system has none left.
    pub(crate) fn new(mut sink: Box<P::Sink>) -> Result<Self> {
        let queue = Queue {
            parcels: VecDeque::new(),
            working: None,
            closed: false,
            gone: false,
            counts: SinkCounts::default(),
            times: Durations::default(),
        };
        let shared = Arc::new(Shared { queue: Mutex::new(queue), changed: Condvar::new() });
        let name = P::name(&sink).to_owned();
        let theirs = Arc::clone(&shared);
        let thread = start_thread(&name, move || serve(&mut *sink, &theirs))?;
        Ok(Self { name, shared, thread })
    }

    /// Queues a report without waiting. If the sink is behind, the oldest reports without events are dropped.
    pub(crate) fn offer(&self, parcel: P) {
        let mut queue = self.shared.lock();
        if queue.gone {
            return;
        }
        let before = queue.counts;
        queue.parcels.push_back((Instant::now(), parcel));
        queue.make_room();
        let now = queue.counts;
        drop(queue);
        self.shared.changed.notify_all();
        log_losses(&self.name, "frames", before.lost_frames, now.lost_frames);
        log_losses(&self.name, "events", before.lost_events, now.lost_events);
    }
}

impl<P: Parcel> Queued for Outbox<P> {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_full(&self) -> bool {
        let queue = self.shared.lock();
        queue.parcels.len() >= QUEUED && !queue.gone
    }

    fn is_gone(&self) -> bool {
        self.shared.lock().gone
    }

    fn lag(&self) -> Duration {
        let queue = self.shared.lock();
        let oldest = queue.working.map(|(since, _)| since).or(queue.parcels.front().map(|(since, _)| *since));
        oldest.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn latest(&self) -> Option<Latency> {
        self.shared.lock().times.latest()
    }

    fn overall(&self) -> Option<Latency> {
        self.shared.lock().times.overall()
    }

    fn counts(&self) -> SinkCounts {
        self.shared.lock().counts
    }

    fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
    }

    fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    fn abandon(&self) {
        let mut queue = self.shared.lock();
        let left = std::mem::take(&mut queue.parcels);
        let left = left.iter().map(|(_, parcel)| parcel.report().events.len());
        for events in queue.working.take().map(|(_, events)| events).into_iter().chain(left) {
            queue.counts.lost_frames += u64::from(events == 0);
            queue.counts.lost_events += events as u64;
        }
    }
}

/// A sink that nobody has waited for ends on its own.
impl<P: Parcel> Drop for Outbox<P> {
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

impl<P> Shared<P> {
    pub(super) fn lock(&self) -> MutexGuard<'_, Queue<P>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Parcel> Queue<P> {
    fn make_room(&mut self) {
        while self.parcels.len() > QUEUED {
            let plain = |(_, parcel): &(Instant, P)| parcel.report().events.is_empty();
            let Some(plain) = self.parcels.iter().position(plain) else { break };
            self.parcels.remove(plain);
            self.counts.lost_frames += 1;
        }
        let excess = self.parcels.len().saturating_sub(PICTURES);
        if let Some((_, parcel)) = excess.checked_sub(1).and_then(|i| self.parcels.get_mut(i))
            && parcel.drop_picture()
        {
            self.counts.lost_frames += 1;
        }
        while self.parcels.len() > LONGEST {
            let events = self.parcels.pop_front().map_or(0, |(_, parcel)| parcel.report().events.len());
            self.counts.lost_events += events as u64;
        }
    }
}

fn serve<P: Parcel>(sink: &mut P::Sink, shared: &Shared<P>) {
    let mut reasons = Reasons::default();
    loop {
        let mut queue = shared.lock();
        while queue.parcels.is_empty() && !queue.closed {
            queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let Some((since, parcel)) = queue.parcels.pop_front() else { return };
        queue.working = Some((since, parcel.report().events.len()));
        drop(queue);
        shared.changed.notify_all();
        let started = Instant::now();
        let taken = parcel.hand_to(sink);
        let mut queue = shared.lock();
        queue.working = None;
        queue.times.add(started.elapsed());
        match taken {
            Ok(()) => {
                queue.counts.taken += 1;
                drop(queue);
                let recovery = if P::was_idle(sink) { None } else { reasons.succeeded(Instant::now()) };
                if let Some(recovery) = recovery {
                    tracing::info!("{}: works {recovery}", P::name(sink));
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
                    let name =
                        if why.starts_with(P::name(sink)) { "" } else { &format!("{}: ", P::name(sink)) };
                    tracing::warn!("{name}{why} ({count} so far)");
                }
            }
        }
    }
}
