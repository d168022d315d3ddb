//! A folder that stays within its limit, and deletes nothing but snapshots.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::name::is_stem;
use crate::error::{self, Error, Result};
use crate::sinks::atomic_file::{AtomicFile, remove_uncommitted};

/// Suffix of the annotated frame.
pub(crate) const ANNOTATED: &str = ".jpg";
/// Suffix of the frame without annotations.
pub(crate) const PLAIN: &str = ".plain.jpg";
const JSON: &str = ".json";

/// The snapshots in a folder. A snapshot is a JSON file with pictures of the same name; a picture alone is
/// not ours.
pub(crate) struct Folder {
    name: String,
    path: PathBuf,
    most_bytes: u64,
    /// Bytes of each snapshot. Names begin with the time, so the first is the oldest.
    snapshots: BTreeMap<String, u64>,
    bytes: u64,
}

impl Folder {
    /// Finds the snapshots of earlier runs by name. Their content is checked only before one is deleted.
    ///
    /// # Errors
    /// [`Error::Device`] if the folder cannot be created or read.
    pub(crate) fn open(path: &Path, most_bytes: u64) -> Result<Self> {
        let name = path.display().to_string();
        let io = |source| Error::io(error::ErrorKind::Device, name.clone(), source);
        fs::create_dir_all(path).map_err(io)?;
        remove_uncommitted(path).map_err(io)?;
        let mut snapshots = BTreeMap::new();
        for entry in fs::read_dir(path).map_err(io)? {
            let file = entry.map_err(io)?.file_name();
            let stem = file.to_str().and_then(|file| file.strip_suffix(JSON)).filter(|stem| is_stem(stem));
            if let Some(stem) = stem {
                snapshots.insert(stem.to_owned(), size(path, stem));
            }
        }
        let bytes = snapshots.values().sum();
        Ok(Self { name, path: path.to_owned(), most_bytes, snapshots, bytes })
    }

    /// `stem`, with a number appended if the folder has files of that name.
    pub(crate) fn free(&self, stem: String) -> String {
        let taken =
            |stem: &str| [JSON, ANNOTATED, PLAIN].iter().any(|ending| self.file(stem, ending).exists());
        if !taken(&stem) {
            return stem;
        }
        let mut numbered = (2..).map(|number: u64| format!("{stem}-{number}"));
        numbered.find(|stem| !taken(stem)).unwrap_or(stem)
    }

    /// Writes a snapshot after making room for it: all of its files or none.
    ///
    /// # Errors
    /// [`Error::Device`], for example if the disk is full or the snapshot alone exceeds the folder's limit.
    pub(crate) fn keep(&mut self, stem: &str, json: &[u8], pictures: &[(&str, Vec<u8>)]) -> Result<()> {
        let bytes = json.len() as u64 + pictures.iter().map(|(_, file)| file.len() as u64).sum::<u64>();
        if bytes > self.most_bytes {
            let expected = format!("at most {} bytes, the limit of the folder", self.most_bytes);
            return Err(Error::device(&self.name, format!("a snapshot of {bytes} bytes"), expected));
        }
        let written = self.make_room(bytes).and_then(|()| self.write(stem, json, pictures));
        written.map_err(|source| Error::io(error::ErrorKind::Device, self.name.clone(), source))?;
        self.snapshots.insert(stem.to_owned(), bytes);
        self.bytes += bytes;
        Ok(())
    }

    fn write(&self, stem: &str, json: &[u8], pictures: &[(&str, Vec<u8>)]) -> io::Result<()> {
        let files =
            std::iter::once((JSON, json)).chain(pictures.iter().map(|(ending, file)| (*ending, &**file)));
        let written = files.map(|(ending, file)| AtomicFile::write(&self.file(stem, ending), file, true));
        // The JSON file first: with it, pictures are known to be a snapshot's whatever interrupts this.
        written.collect::<io::Result<Vec<AtomicFile>>>()?.into_iter().try_for_each(AtomicFile::commit)
    }

    /// Deletes the oldest until there is room for so many bytes.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        while self.bytes.saturating_add(bytes) > self.most_bytes {
            let Some(oldest) = self.snapshots.first_entry() else { break };
            let (stem, size) = (oldest.key(), *oldest.get());
            if is_own(&self.path, stem) {
                // The JSON file last, for the same reason.
                [ANNOTATED, PLAIN, JSON].iter().try_for_each(|ending| delete(&self.path, stem, ending))?;
            }
            oldest.remove();
            self.bytes = self.bytes.saturating_sub(size);
        }
        Ok(())
    }

    fn file(&self, stem: &str, ending: &str) -> PathBuf {
        self.path.join(format!("{stem}{ending}"))
    }
}

/// Bytes of a snapshot's files.
fn size(folder: &Path, stem: &str) -> u64 {
    let length =
        |ending: &&str| fs::metadata(folder.join(format!("{stem}{ending}"))).map_or(0, |file| file.len());
    [JSON, ANNOTATED, PLAIN].iter().map(length).sum()
}

/// Whether the JSON file names itself as a snapshot: a copy under another name belongs to the user.
fn is_own(folder: &Path, stem: &str) -> bool {
    let json = fs::read(folder.join(format!("{stem}{JSON}"))).ok();
    let json: Option<Value> = json.and_then(|json| serde_json::from_slice(&json).ok());
    json.is_some_and(|json| {
        json.get("type").is_some_and(|kind| kind == "snapshot")
            && json.get("name").is_some_and(|name| name == stem)
    })
}

fn delete(folder: &Path, stem: &str, ending: &str) -> io::Result<()> {
    match fs::remove_file(folder.join(format!("{stem}{ending}"))) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
