//! One thread a sink, so that a slow one delays nothing: it loses frames, but no events.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::sinks::{Moment, Sink};

/// Moments that wait for a sink before those without events are left out.
const PATIENCE: usize = 8;
/// Moments with pictures that wait; the pictures of more are left out.
const PICTURES: usize = 32;
/// Moments with events that wait; more than these would fill the memory.
const MOST: usize = 10_000;

/// The way to one sink.
pub struct Outbox {
    name: String,
    wants_pictures: bool,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    moments: VecDeque<(Instant, Arc<Moment>)>,
    closed: bool,
    /// The reader of standard output has gone.
    gone: bool,
    counts: Counts,
}

/// What became of moments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken by the sink.
    pub taken: u64,
    /// Frames left out because the sink was slow.
    pub lost_frames: u64,
    /// Events left out because the sink was slow for very long.
    pub lost_events: u64,
    /// Moments that the sink could not take.
    pub failed: u64,
}

impl Outbox {
    /// Starts the sink's thread.
    pub fn new(mut sink: Box<dyn Sink>) -> Self {
        let shared = Arc::<Shared>::default();
        let (name, wants_pictures) = (sink.name().to_owned(), sink.wants_pictures());
        let theirs = Arc::clone(&shared);
        let thread = thread::spawn(move || work(sink.as_mut(), &theirs));
        Self { name, wants_pictures, shared, thread: Some(thread) }
    }

    /// Hands over a moment. Where the sink is behind, `wait` waits for it; otherwise the oldest moments without events make room.
    pub fn offer(&self, moment: &Arc<Moment>, wait: bool) {
        let mut queue = self.shared.lock();
        while wait && queue.moments.len() >= PATIENCE && !queue.gone {
            queue = self.shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.gone {
            return;
        }
        queue.moments.push_back((Instant::now(), Arc::clone(moment)));
        queue.make_room();
        drop(queue);
        self.shared.changed.notify_all();
    }

    /// What messages call the sink.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As of the sink.
    pub fn wants_pictures(&self) -> bool {
        self.wants_pictures
    }

    /// Whether nobody reads what the sink writes any more.
    pub fn is_gone(&self) -> bool {
        self.shared.lock().gone
    }

    /// Age of the oldest moment that waits.
    pub fn lag(&self) -> Duration {
        self.shared.lock().moments.front().map_or(Duration::ZERO, |(since, _)| since.elapsed())
    }

    /// What became of moments so far.
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts
    }
}

/// Waits until the sink has taken everything.
impl Drop for Outbox {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A sink that panics has said so itself.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn make_room(&mut self) {
        while self.moments.len() > PATIENCE {
            let Some(plain) = self.moments.iter().position(|(_, moment)| moment.events.is_empty()) else {
                break;
            };
            self.moments.remove(plain);
            self.counts.lost_frames += 1;
        }
        let excess = self.moments.len().saturating_sub(PICTURES);
        if let Some((_, moment)) = excess.checked_sub(1).and_then(|i| self.moments.get_mut(i))
            && moment.picture.is_some()
        {
            *moment = Arc::new(Moment { picture: None, ..Moment::clone(moment) });
        }
        while self.moments.len() > MOST {
            let events = self.moments.pop_front().map_or(0, |(_, moment)| moment.events.len());
            self.counts.lost_events += events as u64;
        }
    }
}

fn work(sink: &mut dyn Sink, shared: &Shared) {
    loop {
        let mut queue = shared.lock();
        while queue.moments.is_empty() && !queue.closed {
            queue = shared.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        let Some((_, moment)) = queue.moments.pop_front() else { return };
        drop(queue);
        shared.changed.notify_all();
        let taken = sink.take(&moment);
        let mut queue = shared.lock();
        match taken {
            Ok(()) => queue.counts.taken += 1,
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
                queue.gone = true;
                drop(queue);
                shared.changed.notify_all();
                return;
            }
            Err(error) => {
                queue.counts.failed += 1;
                let count = queue.counts.failed;
                drop(queue);
                if count.is_power_of_two() {
                    tracing::warn!("{}: {error} ({count} so far)", sink.name());
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
