//! Annotated frames as numbered files; only the newest are kept.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read};
use std::num::NonZeroUsize;
use std::path::Path;

use super::files::{AtomicFile, PRIVATE, Rotation, is_stamped, remove_abandoned, stamp, write_in_room};
use super::picture::{LIVE_QUALITY, encode};
use super::{Painter, PictureKind, PictureSink};
use crate::error::{self, Error, Result};
use crate::report::FrameReport;
use crate::source::Picture;
use crate::system::Folder;

/// Prefix of all files of this sink.
const PREFIX: &str = "frame-";
const EXTENSION: &str = ".jpg";
/// Larger numbers in names are not continued.
const LARGEST: u64 = 1 << 53;

/// More than any file of ours has, in bytes.
const LARGEST_FILE: u64 = 512 << 20;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    /// Most files.
    pub most: NonZeroUsize,
    /// Per cent of the disk that stay free, as far as it lies with these files.
    pub free: u8,
}

/// Writes `frame-00000001.jpg`, `frame-00000002.jpg` and so on into a folder. The oldest are deleted.
/// Numbering continues where an earlier run ended, and its files count towards the limit. A file is known as
/// one of these by its mark, which holds its name.
pub(crate) struct Frames {
    name: String,
    kept: Kept,
    painter: Painter,
    store: Store,
    rgb: Vec<u8>,
}

struct Store {
    folder: Folder,
    /// Bytes of files that are called like ours, by number.
    files: BTreeMap<u64, u64>,
    bytes: u64,
    /// Number of the next file.
    next: u64,
}

impl Frames {
    /// Keeps frames in `folder`, which is created, readable by this user alone, if it does not exist.
    ///
    /// # Errors
    /// [`Error::Device`] if the folder cannot be created or read.
    pub(crate) fn new(folder: &Path, kept: Kept, painter: Painter) -> Result<Self> {
        let name = folder.display().to_string();
        let open = || {
            let mut store =
                Store { folder: Folder::make(folder)?, files: BTreeMap::new(), bytes: 0, next: 1 };
            store.look()?;
            Ok(store)
        };
        let store = open().map_err(|source| Error::io(error::ErrorKind::Device, name.clone(), source))?;
        Ok(Self { name, kept, painter, store, rgb: Vec::new() })
    }

    fn save(&mut self, mut picture: Vec<u8>) -> io::Result<()> {
        if self.store.folder.refresh()? {
            tracing::warn!("{}: the folder was gone; it has been made anew", self.name);
            self.store.look()?;
        }
        while self.store.files.len() >= self.kept.most.get() && self.store.delete_oldest()?.is_some() {}
        stamp(&mut picture, &file_name(self.store.next));
        write_in_room(&mut self.store, picture.len() as u64, self.kept.free, |store| store.write(&picture))
    }
}

impl Store {
    /// Finds the files of earlier runs, by name. Their mark is looked at before one is deleted.
    fn look(&mut self) -> io::Result<()> {
        remove_abandoned(&self.folder)?;
        self.files.clear();
        for name in self.folder.names()? {
            if let Some(number) = number(&name) {
                self.next = self.next.max(number + 1);
                let about = self.folder.about(&name)?.filter(std::fs::Metadata::is_file);
                self.files.extend(about.map(|about| (number, about.len())));
            }
        }
        self.bytes = self.files.values().sum();
        Ok(())
    }

    fn write(&mut self, picture: &[u8]) -> io::Result<()> {
        let name = OsString::from(file_name(self.next));
        let written = AtomicFile::write(&self.folder, picture, PRIVATE, false)?.commit(&name);
        if let Err(error) = written {
            if error.kind() == ErrorKind::AlreadyExists {
                // Somebody else writes here, too: the next frame gets a number behind theirs.
                self.look()?;
            }
            return Err(error);
        }
        self.files.insert(self.next, picture.len() as u64);
        self.bytes += picture.len() as u64;
        self.next += 1;
        Ok(())
    }
}

impl Rotation for Store {
    fn folder(&self) -> &Folder {
        &self.folder
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Files that are not ours are passed over.
    fn delete_oldest(&mut self) -> io::Result<Option<u64>> {
        let Some(oldest) = self.files.first_entry() else { return Ok(None) };
        let (name, bytes) = (file_name(*oldest.key()), *oldest.get());
        let own = is_own(&self.folder, &name);
        if own {
            self.folder.remove(OsStr::new(&name))?;
        }
        oldest.remove();
        self.bytes -= bytes;
        Ok(Some(if own { bytes } else { 0 }))
    }
}

/// Whether the file has our mark, for this name, and is as we wrote it.
fn is_own(folder: &Folder, name: &str) -> bool {
    let own = || is_stamped(folder.read(OsStr::new(name))?.take(LARGEST_FILE), name);
    own().unwrap_or(false)
}

impl PictureSink for Frames {
    fn name(&self) -> &str {
        &self.name
    }

    /// Reports without a picture are skipped.
    fn take(&mut self, report: &FrameReport, picture: Option<&Picture>) -> Result<()> {
        let Some(picture) = picture else { return Ok(()) };
        self.rgb.clone_from(&picture.data);
        self.painter.annotate(&mut self.rgb, picture.width, picture.height, report);
        let (width, height) = (picture.width, picture.height);
        let file = encode(&self.name, PictureKind::Jpeg, LIVE_QUALITY, &self.rgb, width, height)?;
        self.save(file).map_err(|source| Error::io(error::ErrorKind::Device, self.name.clone(), source))
    }
}

fn file_name(number: u64) -> String {
    format!("{PREFIX}{number:08}{EXTENSION}")
}

/// The number in the name of one of this sink's files.
fn number(name: &OsStr) -> Option<u64> {
    let digits = name.to_str()?.strip_prefix(PREFIX)?.strip_suffix(EXTENSION)?;
    let number = digits.parse().ok().filter(|number| *number < LARGEST)?;
    (file_name(number).as_str() == name).then_some(number)
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
