//! A folder that stays within its limit, and deletes nothing but snapshots.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use super::index::{ANNOTATED, Index, JSON, PLAIN, file, is_own};
use crate::error::{self, Error, Result};
use crate::sinks::files::{AtomicFile, PRIVATE, Rotation, write_in_room};
use crate::system::{Folder, start_thread};

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    /// Most bytes of all files together.
    pub most_bytes: u64,
    /// Per cent of the disk that stay free, as far as it lies with these files.
    pub free: u8,
}

/// The snapshots in a folder. A snapshot is a JSON file with pictures of the same name; a picture alone is
/// not ours.
pub(crate) struct SnapshotFolder {
    name: String,
    kept: Kept,
    folder: Folder,
    /// What it holds; empty until it has been read.
    index: Index,
    reading: Reading,
}

/// How far the index is. A folder of a year takes seconds to read, which the start does not wait for.
enum Reading {
    /// Another thread reads it.
    Beside(JoinHandle<io::Result<Index>>),
    /// It is still to be read.
    Wanted,
    /// It is known.
    Done,
}

impl SnapshotFolder {
    /// Begins to look for the snapshots of earlier runs, which the first snapshot waits for. The folder is created,
    /// readable by this user alone, if it does not exist.
    ///
    /// # Errors
    /// [`Error::Device`] if the folder cannot be created or read.
    pub(crate) fn open(path: &Path, kept: Kept) -> Result<Self> {
        let name = path.display().to_string();
        let io = |source| Error::io(error::ErrorKind::Device, name.clone(), source);
        let folder = Folder::make(path).map_err(io)?;
        let place: PathBuf = path.to_owned();
        let beside = start_thread("snapshots", move || Index::read(&Folder::open(&place)?));
        let reading = beside.map_or(Reading::Wanted, Reading::Beside);
        Ok(Self { name, kept, folder, index: Index::default(), reading })
    }

    /// Waits until the index is known.
    fn look(&mut self) -> io::Result<()> {
        self.index = match std::mem::replace(&mut self.reading, Reading::Wanted) {
            Reading::Beside(thread) => thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("the reader of the folder has died")))?,
            Reading::Wanted => Index::read(&self.folder)?,
            Reading::Done => std::mem::take(&mut self.index),
        };
        self.reading = Reading::Done;
        Ok(())
    }

    /// Makes the folder anew if it is gone, and sees to it that it is known what it holds: before anything else.
    ///
    /// # Errors
    /// [`Error::Device`] if it cannot be made or read.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let refreshed = self.folder.refresh().and_then(|other| {
            if other {
                tracing::warn!("{}: the folder was gone; it has been made anew", self.name);
                self.reading = Reading::Wanted;
            }
            self.look()
        });
        refreshed.map_err(|source| Error::io(error::ErrorKind::Device, self.name.clone(), source))
    }

    /// The number of the next snapshot: it rises by one with each that is written into the folder.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.index.next
    }

    /// `stem`, with a number appended if the folder has files of that name.
    pub(crate) fn free(&self, stem: String) -> String {
        let is_taken = |stem: &str| {
            let about = |ending| self.folder.about(&file(stem, ending));
            [JSON, ANNOTATED, PLAIN]
                .into_iter()
                .any(|ending| about(ending).is_ok_and(|about| about.is_some()))
        };
        if !is_taken(&stem) {
            return stem;
        }
        let mut numbered = (2..).map(|number: u64| format!("{stem}-{number}"));
        numbered.find(|stem| !is_taken(stem)).unwrap_or(stem)
    }

    /// Writes a snapshot after making room for it: all of its files or none.
    ///
    /// # Errors
    /// [`Error::Device`], for example if the disk is full of other things or the snapshot alone exceeds the
    /// folder's limit.
    pub(crate) fn keep(&mut self, stem: &str, json: &[u8], pictures: &[(&str, Vec<u8>)]) -> Result<()> {
        let bytes = json.len() as u64 + pictures.iter().map(|(_, file)| file.len() as u64).sum::<u64>();
        if bytes > self.kept.most_bytes {
            let expected = format!("at most {} bytes, the limit of the folder", self.kept.most_bytes);
            return Err(Error::device(&self.name, format!("a snapshot of {bytes} bytes"), expected));
        }
        let free = self.kept.free;
        let written = self
            .make_room(bytes)
            .and_then(|()| write_in_room(self, bytes, free, |this| this.write(stem, json, pictures)));
        written.map_err(|source| Error::io(error::ErrorKind::Device, self.name.clone(), source))?;
        self.index.add(stem, bytes);
        Ok(())
    }

    fn write(&self, stem: &str, json: &[u8], pictures: &[(&str, Vec<u8>)]) -> io::Result<()> {
        let pictures = pictures.iter().map(|(ending, file)| (*ending, &**file));
        // The JSON file first: with it, pictures are known to be a snapshot's whatever interrupts this.
        let files = std::iter::once((JSON, json)).chain(pictures);
        let written = files.map(|(ending, bytes)| {
            Ok((file(stem, ending), AtomicFile::write(&self.folder, bytes, PRIVATE, true)?))
        });
        let written = written.collect::<io::Result<Vec<_>>>()?;
        let mut committed = Vec::new();
        for (name, part) in written {
            if let Err(error) = part.commit(&name) {
                committed.iter().try_for_each(|name: &OsString| self.folder.remove(name))?;
                return Err(error);
            }
            committed.push(name);
        }
        Ok(())
    }

    /// Deletes the oldest until there is room for so many bytes.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        while self.index.bytes.saturating_add(bytes) > self.kept.most_bytes && self.delete_oldest()?.is_some()
        {
        }
        Ok(())
    }
}

impl Rotation for SnapshotFolder {
    fn folder(&self) -> &Folder {
        &self.folder
    }

    fn bytes(&self) -> u64 {
        self.index.bytes
    }

    /// Snapshots of which somebody has changed a file are passed over.
    fn delete_oldest(&mut self) -> io::Result<Option<u64>> {
        let Some((stem, bytes)) = self.index.oldest() else { return Ok(None) };
        let own = is_own(&self.folder, stem);
        if own {
            // The JSON file last, for the same reason.
            let mut endings = [ANNOTATED, PLAIN, JSON].into_iter();
            endings.try_for_each(|ending| self.folder.remove(&file(stem, ending)))?;
        }
        self.index.forget_oldest();
        Ok(Some(if own { bytes } else { 0 }))
    }
}
