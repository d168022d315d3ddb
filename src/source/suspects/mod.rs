//! Files of a followed folder that the program was reading when it was killed. What is being read is noted in a
//! file, which outlives the program: otherwise one picture that kills it would do so after every restart.

mod store;

use std::env;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use self::store::{Notes, Store, Suspect, place};
use super::about::About;
use crate::system::Folder;

/// The folder of all notes; `None` if this user has none.
pub(crate) fn state() -> Option<PathBuf> {
    place(|name| env::var_os(name))
}

/// Makes the folder of all notes, where there can be one.
pub(crate) fn make_state() {
    let made = state().map(|folder| Folder::make(&folder));
    if let Some(Err(error)) = made {
        tracing::debug!("nothing is noted ({error})");
    }
}

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
        let Some(place) = state() else { return };
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

#[cfg(test)]
mod tests;
