//! A folder that stays within its limit, and deletes nothing but snapshots.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use serde::Deserialize;

use super::name::is_stem;
use crate::error::{self, Error, Result};
use crate::sinks::files::{
    AtomicFile, PRIVATE, Rotation, is_stamped, remove_abandoned, stamp, write_in_room,
};
use crate::system::Folder;

/// Suffix of the annotated frame.
pub(crate) const ANNOTATED: &str = ".jpg";
/// Suffix of the frame without annotations.
pub(crate) const PLAIN: &str = ".plain.jpg";
/// More than any file of ours has, in bytes.
const LARGEST: u64 = 512 << 20;
const JSON: &str = ".json";
/// What the mark of our pictures says. Which event they belong to, the JSON file says.
const PURPOSE: &str = "snapshot";

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
    /// Bytes of each snapshot, in the order in which they were written: by the clock, one that was wrong for
    /// a while would count as the newest, or as the oldest, for ever.
    snapshots: BTreeMap<(u64, String), u64>,
    bytes: u64,
    /// Sequence number of the next snapshot.
    next: u64,
}

impl SnapshotFolder {
    /// Finds the snapshots of earlier runs. The folder is created, readable by this user alone, if it does
    /// not exist.
    ///
    /// # Errors
    /// [`Error::Device`] if the folder cannot be created or read.
    pub(crate) fn open(path: &Path, kept: Kept) -> Result<Self> {
        let name = path.display().to_string();
        let open = || {
            let folder = Folder::make(path)?;
            let mut opened =
                Self { name: name.clone(), kept, folder, snapshots: BTreeMap::new(), bytes: 0, next: 1 };
            opened.look()?;
            Ok(opened)
        };
        open().map_err(|source| Error::io(error::ErrorKind::Device, name.clone(), source))
    }

    fn look(&mut self) -> io::Result<()> {
        remove_abandoned(&self.folder)?;
        self.snapshots.clear();
        for file in self.folder.names()? {
            let stem = file.to_str().and_then(|file| file.strip_suffix(JSON)).filter(|stem| is_stem(stem));
            let found = stem.and_then(|stem| Some((stem, description(&self.folder, stem)?)));
            if let Some((stem, description)) = found {
                let bytes = size(&self.folder, stem);
                self.snapshots.insert((description.sequence, stem.to_owned()), bytes);
                self.next = self.next.max(description.sequence.saturating_add(1));
            }
        }
        self.bytes = self.snapshots.values().sum();
        Ok(())
    }

    /// Makes the folder anew if it is gone.
    ///
    /// # Errors
    /// [`Error::Device`] if it cannot be made or read.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let refreshed = self.folder.refresh().and_then(|other| {
            if other {
                tracing::warn!("{}: the folder was gone; it has been made anew", self.name);
                self.look()?;
            }
            Ok(())
        });
        refreshed.map_err(|source| Error::io(error::ErrorKind::Device, self.name.clone(), source))
    }

    /// The number of the next snapshot: it rises by one with each that is written into the folder.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.next
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
        self.snapshots.insert((self.next, stem.to_owned()), bytes);
        self.bytes += bytes;
        self.next = self.next.saturating_add(1);
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
        while self.bytes.saturating_add(bytes) > self.kept.most_bytes && self.delete_oldest()?.is_some() {}
        Ok(())
    }
}

impl Rotation for SnapshotFolder {
    fn folder(&self) -> &Folder {
        &self.folder
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Snapshots of which somebody has changed a file are passed over.
    fn delete_oldest(&mut self) -> io::Result<Option<u64>> {
        let Some(oldest) = self.snapshots.first_entry() else { return Ok(None) };
        let ((_, stem), bytes) = (oldest.key(), *oldest.get());
        let own = is_own(&self.folder, stem);
        if own {
            // The JSON file last, for the same reason.
            let mut endings = [ANNOTATED, PLAIN, JSON].into_iter();
            endings.try_for_each(|ending| self.folder.remove(&file(stem, ending)))?;
        }
        oldest.remove();
        self.bytes = self.bytes.saturating_sub(bytes);
        Ok(Some(if own { bytes } else { 0 }))
    }
}

/// Marks a picture as a snapshot's.
pub(crate) fn mark(picture: &mut Vec<u8>) {
    stamp(picture, PURPOSE);
}

/// What is needed of a JSON file.
#[derive(Deserialize)]
struct Described {
    r#type: String,
    name: String,
    /// Absent in files that other versions wrote, which count as older than all others.
    #[serde(default)]
    sequence: u64,
}

/// What the JSON file says, if it names itself as a snapshot: a copy under another name belongs to the user.
fn description(folder: &Folder, stem: &str) -> Option<Described> {
    let json = read(folder, stem, JSON).ok()?;
    let described: Described = serde_json::from_slice(&json).ok()?;
    (described.r#type == "snapshot" && described.name == stem).then_some(described)
}

/// Whether all files of the snapshot are as edgeclip wrote them.
fn is_own(folder: &Folder, stem: &str) -> bool {
    let own = |ending: &&str| match read(folder, stem, ending) {
        Ok(picture) => is_stamped(&picture, PURPOSE),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    description(folder, stem).is_some() && [ANNOTATED, PLAIN].iter().all(own)
}

fn read(folder: &Folder, stem: &str, ending: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    folder.read(&file(stem, ending))?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Bytes of a snapshot's files.
fn size(folder: &Folder, stem: &str) -> u64 {
    let length = |ending| folder.about(&file(stem, ending)).ok().flatten().map_or(0, |about| about.len());
    [JSON, ANNOTATED, PLAIN].into_iter().map(length).sum()
}

fn file(stem: &str, ending: &str) -> OsString {
    OsString::from(format!("{stem}{ending}"))
}
