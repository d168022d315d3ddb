//! Messages that wait: whoever sees something puts them here without waiting.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::request::Request;

/// Most messages that wait; the oldest are dropped.
const MOST: usize = 32;

/// Messages of one rule.
#[derive(Default)]
pub(super) struct Queue {
    held: Mutex<Held>,
    changed: Notify,
}

#[derive(Default)]
struct Held {
    waiting: VecDeque<Request>,
    dropped: u64,
    /// Since when there is nothing more to come.
    closed: Option<Instant>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, request: Request) {
        let mut held = self.lock();
        if held.waiting.len() >= MOST {
            held.waiting.pop_front();
            held.dropped += 1;
        }
        held.waiting.push_back(request);
        drop(held);
        self.changed.notify_one();
    }

    pub(super) fn next(&self) -> Option<Request> {
        self.lock().waiting.pop_front()
    }

    /// Puts back what could not be sent, unless there is no room any more.
    pub(super) fn put_back(&self, request: Request) {
        let mut held = self.lock();
        if held.waiting.len() < MOST {
            held.waiting.push_front(request);
        } else {
            held.dropped += 1;
        }
    }

    /// How many were dropped since this was called last.
    pub(super) fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.lock().dropped)
    }

    pub(super) fn close(&self) {
        self.lock().closed.get_or_insert_with(Instant::now);
        self.changed.notify_one();
    }

    pub(super) fn closed(&self) -> Option<Instant> {
        self.lock().closed
    }

    /// Waits until something has changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}
