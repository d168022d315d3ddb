//! What is to be published: whoever sees something puts it here without waiting, and the connection takes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::spool::{Message, Spool};

/// What waits for the connection.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Debug)]
struct Waiting {
    /// The last value of each topic that the broker keeps.
    states: BTreeMap<String, Vec<u8>>,
    /// Those of them that it does not have yet.
    unsent: BTreeSet<String>,
    events: Spool,
    /// The newest of each topic.
    pictures: BTreeMap<String, Vec<u8>>,
    /// Since when nothing more comes.
    closed: Option<Instant>,
}

/// What is sent next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// The value of a topic, which the broker keeps; empty where it shall forget it.
    State { topic: String, payload: Vec<u8> },
    /// Something that has happened.
    Event(Message),
    /// A picture, which the broker keeps.
    Picture { topic: String, payload: Vec<u8> },
}

impl Queue {
    /// A queue with these events in it.
    pub(super) fn new(events: Spool) -> Self {
        let (states, unsent, pictures) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self {
            waiting: Mutex::new(Waiting { states, unsent, events, pictures, closed: None }),
            changed: Notify::new(),
        }
    }

    /// Sets the value of a topic. Only changes are sent.
    pub(super) fn set(&self, topic: String, payload: impl Into<Vec<u8>>) {
        let payload = payload.into();
        let mut waiting = self.lock();
        if waiting.states.get(&topic) != Some(&payload) {
            waiting.unsent.insert(topic.clone());
            waiting.states.insert(topic, payload);
            self.wake(waiting);
        }
    }

    /// Sends the value of a topic once more: somebody has asked for another, in vain.
    pub(super) fn repeat(&self, topic: &str) {
        let mut waiting = self.lock();
        if waiting.states.contains_key(topic) {
            waiting.unsent.insert(topic.to_owned());
            self.wake(waiting);
        }
    }

    /// Sends all values once more that begin with `prefix`.
    pub(super) fn repeat_all(&self, prefix: &str) {
        let mut waiting = self.lock();
        let topics: Vec<String> =
            waiting.states.keys().filter(|topic| topic.starts_with(prefix)).cloned().collect();
        waiting.unsent.extend(topics);
        self.wake(waiting);
    }

    /// Has the broker forget the topics that `goes` says.
    pub(super) fn forget(&self, goes: impl Fn(&str) -> bool) {
        let mut waiting = self.lock();
        let gone: Vec<String> = waiting.states.keys().filter(|topic| goes(topic)).cloned().collect();
        for topic in gone {
            waiting.unsent.insert(topic.clone());
            waiting.states.insert(topic, Vec::new());
        }
        self.wake(waiting);
    }

    /// Adds an event.
    pub(super) fn push(&self, topic: String, payload: String) {
        let mut waiting = self.lock();
        waiting.events.push(topic, payload);
        self.wake(waiting);
    }

    /// Replaces the picture of a topic.
    pub(super) fn picture(&self, topic: String, jpeg: Vec<u8>) {
        let mut waiting = self.lock();
        waiting.pictures.insert(topic, jpeg);
        self.wake(waiting);
    }

    /// What is sent next.
    pub(super) fn next(&self) -> Option<Outgoing> {
        let mut waiting = self.lock();
        if let Some(topic) = waiting.unsent.pop_first() {
            let payload = waiting.states.get(&topic).cloned().unwrap_or_default();
            if payload.is_empty() {
                waiting.states.remove(&topic);
            }
            return Some(Outgoing::State { topic, payload });
        }
        if let Some(message) = waiting.events.next() {
            return Some(Outgoing::Event(message));
        }
        waiting.pictures.pop_first().map(|(topic, payload)| Outgoing::Picture { topic, payload })
    }

    /// The broker has taken an event.
    pub(super) fn taken(&self, number: u64) {
        self.lock().events.taken(number);
    }

    /// There is a connection, to a broker that may know nothing.
    pub(super) fn connected(&self) {
        let mut waiting = self.lock();
        waiting.unsent = waiting.states.keys().cloned().collect();
        waiting.events.connected();
    }

    /// The connection is gone. These were on their way.
    pub(super) fn disconnected(&self, unanswered: Vec<Message>) {
        self.lock().events.disconnected(unanswered);
    }

    /// How many events were dropped since this was asked last.
    pub(super) fn lost(&self) -> u64 {
        self.lock().events.lost()
    }

    /// Waits until there may be something to send.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.lock().closed.get_or_insert_with(Instant::now);
        self.changed.notify_one();
    }

    /// Since when nothing more comes; `None` as long as something may.
    pub(super) fn closed(&self) -> Option<Instant> {
        self.lock().closed
    }

    fn wake(&self, waiting: MutexGuard<'_, Waiting>) {
        drop(waiting);
        // One that nobody waits for yet is kept.
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(topic: &str, payload: &str) -> Option<Outgoing> {
        Some(Outgoing::State { topic: topic.to_owned(), payload: payload.into() })
    }

    #[test]
    fn only_the_last_value_is_sent_and_all_of_them_to_another_broker() {
        let queue = Queue::new(Spool::in_memory());
        for value in ["1", "2", "2"] {
            queue.set("a".to_owned(), value);
        }
        queue.set("b".to_owned(), "x");
        assert_eq!([queue.next(), queue.next(), queue.next()], [state("a", "2"), state("b", "x"), None]);
        queue.set("a".to_owned(), "2");
        assert_eq!(queue.next(), None);
        queue.repeat("a");
        queue.repeat("none");
        assert_eq!([queue.next(), queue.next()], [state("a", "2"), None]);
        queue.connected();
        assert_eq!([queue.next(), queue.next(), queue.next()], [state("a", "2"), state("b", "x"), None]);
        queue.forget(|topic| topic == "a");
        assert_eq!([queue.next(), queue.next()], [state("a", ""), None]);
        queue.connected();
        assert_eq!([queue.next(), queue.next()], [state("b", "x"), None]);
    }

    #[test]
    fn values_come_before_events_and_events_before_pictures() {
        let queue = Queue::new(Spool::in_memory());
        queue.picture("p".to_owned(), vec![1]);
        queue.picture("p".to_owned(), vec![2]);
        queue.push("e".to_owned(), "1".to_owned());
        queue.set("s".to_owned(), "1");
        assert_eq!(queue.next(), state("s", "1"));
        assert!(matches!(queue.next(), Some(Outgoing::Event(Message { number: 0, .. }))));
        assert_eq!(queue.next(), Some(Outgoing::Picture { topic: "p".to_owned(), payload: vec![2] }));
        assert_eq!(queue.next(), None);
    }
}
