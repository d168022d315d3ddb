//! Events that the broker has not taken yet, in order and within a bound: in memory while it takes them, else in
//! files of a folder.

mod disk;

use std::collections::VecDeque;
use std::path::Path;

use serde::{Deserialize, Serialize};

use self::disk::Disk;
use crate::error::Result;

/// Most bytes of events in memory where there is no folder, and of those on their way to a slow broker.
const IN_MEMORY: usize = 1 << 20;

/// Something that has happened, for the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::surfaces::mqtt) struct Message {
    /// Its place among all.
    #[serde(default)]
    pub number: u64,
    pub topic: String,
    pub payload: String,
    /// Whether the broker may have it already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

impl Message {
    fn size(&self) -> usize {
        self.topic.len() + self.payload.len()
    }
}

/// A queue of events.
#[derive(Debug)]
pub(in crate::surfaces::mqtt) struct Spool {
    /// Those that are sent next.
    front: VecDeque<Message>,
    bytes: usize,
    disk: Option<Disk>,
    next: u64,
    connected: bool,
    /// How many were dropped since this was told last.
    lost: u64,
}

impl Spool {
    /// A queue in memory alone.
    pub(in crate::surfaces::mqtt) fn in_memory() -> Self {
        Self { front: VecDeque::new(), bytes: 0, disk: None, next: 0, connected: false, lost: 0 }
    }

    /// A queue that goes on with what an earlier run has left in `folder`, of at most `most` bytes.
    ///
    /// # Errors
    /// The folder cannot be used, or another process has it.
    pub(in crate::surfaces::mqtt) fn open(folder: &Path, most: u64) -> Result<Self> {
        let (disk, next) = Disk::open(folder, most)?;
        Ok(Self { disk: Some(disk), next, ..Self::in_memory() })
    }

    /// Adds an event.
    pub(in crate::surfaces::mqtt) fn push(&mut self, topic: String, payload: String) {
        let message = Message { number: self.next, topic, payload, again: false };
        self.next += 1;
        let to_disk = self.disk.as_ref().is_some_and(|disk| {
            !self.connected || !disk.is_empty() || self.bytes + message.size() > IN_MEMORY
        });
        if to_disk && let Some(disk) = &mut self.disk {
            match disk.append(std::slice::from_ref(&message)) {
                Ok(lost) => {
                    self.lose(lost);
                    return;
                }
                // What is on the disk already comes first.
                Err(_) if !disk.is_empty() => return self.lose(1),
                Err(_) => {}
            }
        }
        self.bytes += message.size();
        self.front.push_back(message);
        while self.bytes > IN_MEMORY {
            let Some(oldest) = self.front.pop_front() else { break };
            self.bytes -= oldest.size();
            self.lose(1);
        }
    }

    /// The next event to send.
    pub(in crate::surfaces::mqtt) fn next(&mut self) -> Option<Message> {
        if self.front.is_empty()
            && let Some(disk) = &mut self.disk
        {
            self.front = disk.load().into();
            self.bytes = self.front.iter().map(Message::size).sum();
        }
        let message = self.front.pop_front()?;
        self.bytes -= message.size();
        Some(message)
    }

    /// The broker has taken an event.
    pub(in crate::surfaces::mqtt) fn taken(&mut self, number: u64) {
        if let Some(disk) = &mut self.disk {
            disk.taken(number);
        }
    }

    /// There is a connection: events need not go to the disk.
    pub(in crate::surfaces::mqtt) fn connected(&mut self) {
        self.connected = true;
    }

    /// The connection is gone, or the program ends. These were on their way.
    pub(in crate::surfaces::mqtt) fn disconnected(&mut self, unanswered: Vec<Message>) {
        self.connected = false;
        for message in unanswered.into_iter().rev() {
            self.bytes += message.size();
            self.front.push_front(Message { again: true, ..message });
        }
        let Some(disk) = &mut self.disk else { return };
        let all: Vec<Message> = self.front.iter().cloned().collect();
        if let Ok(lost) = disk.put_back(&all) {
            self.front.clear();
            self.bytes = 0;
            self.lose(lost);
        }
    }

    /// How many events were dropped since this was asked last.
    pub(in crate::surfaces::mqtt) fn lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    fn lose(&mut self, count: u64) {
        self.lost += count;
    }
}

#[cfg(test)]
mod tests;
