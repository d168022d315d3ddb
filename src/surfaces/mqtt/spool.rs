//! Events that the broker has not taken yet, in order and within a bound: in memory while it takes them, else in
//! files of a folder.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::sinks::PRIVATE;
use crate::system::Folder;

/// Most bytes of events in memory where there is no folder, and of those on their way to a slow broker.
const IN_MEMORY: usize = 1 << 20;
/// From so many bytes on, the next event begins another file.
const SEGMENT: u64 = 64 * 1024;
/// What the files end with.
const ENDING: &str = ".jsonl";
/// Who holds this file has the folder.
const LOCK: &str = "lock";

/// Something that has happened, for the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Message {
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
pub(super) struct Spool {
    /// Those that are sent next.
    front: VecDeque<Message>,
    bytes: usize,
    disk: Option<Disk>,
    next: u64,
    connected: bool,
    /// How many were dropped since this was told last.
    lost: u64,
}

/// Files in a folder, each named by the number of its first event; all of them come after what is in memory.
#[derive(Debug)]
struct Disk {
    folder: Folder,
    _lock: File,
    most: u64,
    /// Bytes of each file by the number of its first event.
    segments: BTreeMap<u64, u64>,
    /// The file whose events are in memory or on their way: it goes once the broker has taken all of them.
    loaded: Option<(u64, usize)>,
    /// The file that events are appended to.
    open: Option<(u64, File)>,
    failed: bool,
}

impl Spool {
    /// A queue in memory alone.
    pub(super) fn in_memory() -> Self {
        Self { front: VecDeque::new(), bytes: 0, disk: None, next: 0, connected: false, lost: 0 }
    }

    /// A queue that goes on with what an earlier run has left in `folder`, of at most `most` bytes.
    ///
    /// # Errors
    /// The folder cannot be used, or another process has it.
    pub(super) fn open(folder: &Path, most: u64) -> Result<Self> {
        let name = folder.display().to_string();
        let io = |source| Error::io(ErrorKind::Device, name.clone(), source);
        let folder = Folder::make(folder).map_err(io)?;
        let lock = match folder.create(LOCK.as_ref(), PRIVATE) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => folder.update(LOCK.as_ref()),
            made => made,
        };
        let lock = lock.map_err(io)?;
        if matches!(lock.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
            let expected = "a folder of its own for each process: mqtt.spool";
            return Err(Error::settings(name, "a folder that another edgeclip uses", expected));
        }
        let mut segments = BTreeMap::new();
        for found in folder.names().map_err(io)? {
            let number = found.to_str().and_then(|found| found.strip_suffix(ENDING)?.parse().ok());
            let about = folder.about(&found).map_err(io)?;
            if let (Some(number), Some(about)) = (number, about.filter(std::fs::Metadata::is_file)) {
                segments.insert(number, about.len());
            }
        }
        let disk = Disk { folder, _lock: lock, most, segments, loaded: None, open: None, failed: false };
        let last = disk.segments.last_key_value().map(|(first, _)| *first);
        let next = last.map_or(0, |first| first + disk.read(first).len().max(1) as u64);
        Ok(Self { disk: Some(disk), next, ..Self::in_memory() })
    }

    /// Adds an event.
    pub(super) fn push(&mut self, topic: String, payload: String) {
        let message = Message { number: self.next, topic, payload, again: false };
        self.next += 1;
        let to_disk = self.disk.as_ref().is_some_and(|disk| {
            !self.connected || !disk.segments.is_empty() || self.bytes + message.size() > IN_MEMORY
        });
        if to_disk && let Some(disk) = &mut self.disk {
            match disk.append(std::slice::from_ref(&message)) {
                Ok(lost) => {
                    self.lose(lost);
                    return;
                }
                // What is on the disk already comes first.
                Err(_) if !disk.segments.is_empty() => return self.lose(1),
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
    pub(super) fn next(&mut self) -> Option<Message> {
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
    pub(super) fn taken(&mut self, number: u64) {
        if let Some(disk) = &mut self.disk {
            disk.taken(number);
        }
    }

    /// There is a connection: events need not go to the disk.
    pub(super) fn connected(&mut self) {
        self.connected = true;
    }

    /// The connection is gone, or the program ends. These were on their way.
    pub(super) fn disconnected(&mut self, unanswered: Vec<Message>) {
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
    pub(super) fn lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    fn lose(&mut self, count: u64) {
        self.lost += count;
    }
}

impl Disk {
    /// Appends events, of which the first decides the name of a new file. Gives how many older ones had to go.
    fn append(&mut self, messages: &[Message]) -> io::Result<u64> {
        let Some(first) = messages.first().map(|message| message.number) else { return Ok(0) };
        let result = self.write(first, messages);
        if result.is_err() != std::mem::replace(&mut self.failed, result.is_err()) {
            let folder = self.folder.path().display();
            match &result {
                Ok(()) => tracing::info!("{folder}: takes events again"),
                Err(error) => tracing::warn!("{folder}: {error}; events are kept in memory"),
            }
        }
        result.map(|()| self.make_room())
    }

    fn write(&mut self, first: u64, messages: &[Message]) -> io::Result<()> {
        let mut lines = Vec::new();
        for message in messages {
            serde_json::to_writer(&mut lines, message)?;
            lines.push(b'\n');
        }
        let full = |segment: &u64| self.segments.get(segment).is_none_or(|bytes| *bytes >= SEGMENT);
        if self.open.as_ref().is_none_or(|(segment, _)| full(segment)) {
            // Also if it was taken away.
            if self.folder.refresh()? {
                self.segments.clear();
                self.loaded = None;
            }
            self.open = Some((first, self.folder.create_to_append(&name(first), PRIVATE)?));
        }
        let Some((segment, file)) = &mut self.open else { return Ok(()) };
        let bytes = self.segments.entry(*segment).or_default();
        if let Err(error) = file.write_all(&lines) {
            // Part of a line would be read as none.
            let _ = file.set_len(*bytes);
            if *bytes == 0 {
                let _ = self.folder.remove(&name(*segment));
                self.segments.remove(segment);
                self.open = None;
            }
            return Err(error);
        }
        *bytes += lines.len() as u64;
        Ok(())
    }

    /// Drops the oldest files until the rest fits. Gives how many events were in them.
    fn make_room(&mut self) -> u64 {
        let mut lost = 0;
        while self.segments.values().sum::<u64>() > self.most && self.segments.len() > 1 {
            let loaded = self.loaded.map(|(first, _)| first);
            let Some(oldest) = self.segments.keys().copied().find(|first| Some(*first) != loaded) else {
                break;
            };
            lost += self.read(oldest).len() as u64;
            self.remove(oldest);
        }
        lost
    }

    /// The events of the oldest file.
    fn load(&mut self) -> Vec<Message> {
        // One after the other.
        if self.loaded.is_some() {
            return Vec::new();
        }
        while let Some(first) = self.segments.keys().next().copied() {
            let messages = self.read(first);
            if self.open.as_ref().is_some_and(|(open, _)| *open == first) {
                self.open = None;
            }
            if messages.is_empty() {
                self.remove(first);
                continue;
            }
            self.loaded = Some((first, messages.len()));
            return messages;
        }
        Vec::new()
    }

    /// One event of the loaded file is done with.
    fn taken(&mut self, number: u64) {
        let Some((first, left)) = &mut self.loaded else { return };
        // What was never on the disk has higher numbers than any file, or lower ones.
        if number < *first {
            return;
        }
        *left = left.saturating_sub(1);
        if *left == 0 {
            let first = *first;
            self.loaded = None;
            self.remove(first);
        }
    }

    /// Writes what was in memory to the disk again, before all else that is there.
    fn put_back(&mut self, messages: &[Message]) -> io::Result<u64> {
        if messages.is_empty() {
            return Ok(0);
        }
        let loaded = self.loaded.take();
        let first = messages.first().map(|message| message.number);
        self.open = None;
        if let Some(first) = first {
            // The loaded file may have this very name; all that is left of it is written again.
            let _ = self.folder.remove(&name(first));
            self.segments.remove(&first);
        }
        let written = self.append(messages);
        self.open = None;
        if let Some((old, _)) = loaded
            && written.is_ok()
            && Some(old) != first
        {
            self.remove(old);
        }
        written
    }

    /// The events in a file. What is no event, such as a line that was cut, is passed over.
    fn read(&self, first: u64) -> Vec<Message> {
        let mut text = Vec::new();
        let read = self
            .folder
            .read(&name(first))
            .and_then(|file| file.take(4 * SEGMENT + IN_MEMORY as u64).read_to_end(&mut text));
        if read.is_err() {
            return Vec::new();
        }
        let lines = text.split(|byte| *byte == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    fn remove(&mut self, first: u64) {
        let _ = self.folder.remove(&name(first));
        self.segments.remove(&first);
        if self.open.as_ref().is_some_and(|(open, _)| *open == first) {
            self.open = None;
        }
    }
}

/// Names sort like numbers.
fn name(first: u64) -> OsString {
    format!("{first:020}{ENDING}").into()
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
