//! Events in files of a folder.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use super::{IN_MEMORY, Message};
use crate::error::{Error, ErrorKind, Result};
use crate::sinks::PRIVATE;
use crate::system::Folder;

/// From so many bytes on, the next event begins another file.
pub(super) const SEGMENT: u64 = 64 * 1024;
/// What the files end with.
const ENDING: &str = ".jsonl";
/// Who holds this file has the folder.
const LOCK: &str = "lock";

/// Files in a folder, each named by the number of its first event; all of them come after what is in memory.
#[derive(Debug)]
pub(super) struct Disk {
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

impl Disk {
    /// What an earlier run has left in `folder`, of at most `most` bytes, and the number of the next event.
    ///
    /// # Errors
    /// The folder cannot be used, or another process has it.
    pub(super) fn open(folder: &Path, most: u64) -> Result<(Self, u64)> {
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
        let disk = Self { folder, _lock: lock, most, segments, loaded: None, open: None, failed: false };
        let last = disk.segments.last_key_value().map(|(first, _)| *first);
        let next = last.map_or(0, |first| first + disk.read(first).len().max(1) as u64);
        Ok((disk, next))
    }

    /// Whether there is no event.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Appends events, of which the first decides the name of a new file. Gives how many older ones had to go.
    pub(super) fn append(&mut self, messages: &[Message]) -> io::Result<u64> {
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
    pub(super) fn load(&mut self) -> Vec<Message> {
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
    pub(super) fn taken(&mut self, number: u64) {
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
    pub(super) fn put_back(&mut self, messages: &[Message]) -> io::Result<u64> {
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
pub(super) fn name(first: u64) -> OsString {
    format!("{first:020}{ENDING}").into()
}
