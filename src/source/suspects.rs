//! Files of a followed folder that the program was reading when it was killed. What is being read is noted in a
//! file, which outlives the program: otherwise one picture that kills it would do so after every restart.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::follow::About;
use crate::system::{FileId, Folder};

/// Most bytes of a note that are read.
const LONGEST: u64 = 1 << 20;
/// Who may read a note: it names the user's files.
const PRIVATE: u32 = 0o600;

/// Notes on one followed folder. Clones share them. By default nothing is noted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Suspects(Arc<Mutex<Record>>);

#[derive(Debug, Default)]
struct Record {
    /// Whether to note anything.
    kept: bool,
    /// Where; `None` if there is no place, or another process has it.
    store: Option<Store>,
    notes: Notes,
    /// Those that have been told.
    told: Vec<Suspect>,
}

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Notes {
    /// What is being read.
    reading: Option<Suspect>,
    /// What an earlier process was reading when it was killed.
    passed_over: Vec<Suspect>,
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Suspect {
    path: String,
    about: About,
}

impl Suspect {
    fn new(path: &Path, about: About) -> Self {
        Self { path: path.to_string_lossy().into_owned(), about }
    }

    /// Whether this is the same file: network and removable drives number their files anew.
    fn is_same(&self, other: &Self) -> bool {
        self.about == other.about || self.path == other.path && self.about.is_unchanged(&other.about)
    }
}

impl Suspects {
    /// Notes for a run: they are kept where the user's programs keep their state.
    pub(crate) fn kept() -> Self {
        Self(Arc::new(Mutex::new(Record { kept: true, ..Record::default() })))
    }

    /// Reads what an earlier process has noted on `folder`, and goes on with that. Where it cannot, it goes
    /// without.
    pub(super) fn open(&self, folder: &Path) {
        let mut record = self.lock();
        if !record.kept || record.store.is_some() {
            return;
        }
        let Some(place) = place(|name| env::var_os(name)) else { return };
        if let Err(error) = record.open(&place, folder) {
            tracing::debug!("{}: nothing is noted ({error})", place.display());
        }
    }

    /// Notes that a file is about to be read.
    pub(super) fn read(&self, path: &Path, about: About) {
        let mut record = self.lock();
        if record.store.is_some() {
            record.notes.reading = Some(Suspect::new(path, about));
            record.write();
        }
    }

    /// Notes that nothing is being read any more.
    pub(super) fn done(&self) {
        let mut record = self.lock();
        if record.notes.reading.take().is_some() {
            record.write();
        }
    }

    /// Whether an earlier process was killed while it read this file; the first time, this is told.
    pub(super) fn pass_over(&self, path: &Path, about: About) -> bool {
        let mut record = self.lock();
        if record.notes.passed_over.is_empty() {
            return false;
        }
        let file = Suspect::new(path, about);
        if !record.notes.passed_over.iter().any(|suspect| suspect.is_same(&file)) {
            return false;
        }
        if !record.told.contains(&file) {
            tracing::warn!(
                "{0}: passed over until it changes, since edgeclip was killed while it read it; to look at it all the same: `edgeclip detect {0} --prompt …`",
                file.path
            );
            record.told.push(file);
        }
        true
    }

    /// Forgets files that are not among these any more.
    pub(super) fn retain<'a>(&self, there: impl Iterator<Item = (&'a PathBuf, &'a About)>) {
        let mut record = self.lock();
        let before = record.notes.passed_over.len();
        if before > 0 {
            let there: Vec<Suspect> = there.map(|(path, about)| Suspect::new(path, *about)).collect();
            record.notes.passed_over.retain(|suspect| there.iter().any(|file| file.is_same(suspect)));
            if record.notes.passed_over.len() < before {
                record.write();
            }
        }
    }

    /// The run ends in order: whatever is still being read, nothing is noted on it from now on.
    pub(crate) fn close(&self) {
        let mut record = self.lock();
        record.kept = false;
        record.notes.reading = None;
        record.write();
        if let Some(store) = record.store.take()
            && record.notes.passed_over.is_empty()
        {
            let _ = store.folder.remove(&store.name);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn open(&mut self, place: &Path, followed: &Path) -> io::Result<()> {
        let followed = followed.canonicalize()?;
        let hash = Sha256::digest(followed.as_os_str().as_bytes());
        let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let (store, notes) = Store::open(Folder::make(place)?, format!("follow-{digits}.json").into())?;
        (self.store, self.notes) = (store, notes);
        // Of the process that has the file, nobody knows that it was killed.
        if self.store.is_some()
            && let Some(suspect) = self.notes.reading.take()
        {
            self.notes.passed_over.retain(|other| !other.is_same(&suspect));
            self.notes.passed_over.push(suspect);
            self.write();
        }
        self.notes.reading = None;
        Ok(())
    }

    fn write(&mut self) {
        if let Some(store) = &self.store
            && let Err(error) = store.write(&self.notes)
        {
            tracing::debug!("{}: nothing is noted ({error})", store.name.display());
        }
    }
}

/// The file with the notes, locked as long as this lives.
#[derive(Debug)]
struct Store {
    folder: Folder,
    name: OsString,
    file: File,
}

impl Store {
    /// Opens the file or makes it, and what is in it; without a store if another process has it.
    fn open(folder: Folder, name: OsString) -> io::Result<(Option<Self>, Notes)> {
        let file = match folder.create(&name, PRIVATE) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => folder.update(&name)?,
            created => created?,
        };
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidData, "no regular file"));
        }
        let is_own = file.try_lock().is_ok();
        let mut bytes = Vec::new();
        (&file).take(LONGEST).read_to_end(&mut bytes)?;
        // A process that is killed may leave the end of longer notes behind new ones.
        let notes = serde_json::Deserializer::from_slice(&bytes).into_iter().next();
        let notes = notes.and_then(Result::ok).unwrap_or_default();
        // Whoever had it may have removed it in the meantime.
        let there = folder.about(&name)?.as_ref().map(FileId::of);
        let is_there = there == Some(FileId::of(&about));
        Ok(((is_own && is_there).then_some(Self { folder, name, file }), notes))
    }

    fn write(&self, notes: &Notes) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(notes)?;
        bytes.push(b'\n');
        self.file.write_all_at(&bytes, 0)?;
        self.file.set_len(bytes.len() as u64)
    }
}

/// The folder for the state of the user's programs, or of the service that this is.
fn place(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
    let folder = |name| variable(name).map(PathBuf::from).and_then(absolute);
    // systemd separates several by colons.
    let service =
        variable("STATE_DIRECTORY").and_then(|all| env::split_paths(&all).next().and_then(absolute));
    let user = || folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    service.or_else(|| Some(user()?.join("edgeclip")))
}

#[cfg(test)]
#[path = "suspects_tests.rs"]
mod tests;
