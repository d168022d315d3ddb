//! The file of the notes, and where it is.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::source::about::About;
use crate::system::{FileId, Folder};

/// Most bytes of a note that are read.
const LONGEST: u64 = 1 << 20;
/// Who may read a note: it names the user's files.
const PRIVATE: u32 = 0o600;

/// What the file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Notes {
    /// What is being read.
    pub reading: Option<Suspect>,
    /// What an earlier process was reading when it was killed.
    pub passed_over: Vec<Suspect>,
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Suspect {
    pub path: String,
    pub about: About,
}

impl Suspect {
    pub(super) fn new(path: &Path, about: About) -> Self {
        Self { path: path.to_string_lossy().into_owned(), about }
    }

    /// Whether this is the same file: network and removable drives number their files anew.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.about == other.about || self.path == other.path && self.about.is_unchanged(&other.about)
    }
}

/// The file with the notes, locked as long as this lives.
#[derive(Debug)]
pub(super) struct Store {
    pub folder: Folder,
    pub name: OsString,
    file: File,
}

impl Store {
    /// Opens the file or makes it, and what is in it; without a store if another process has it.
    pub(super) fn open(folder: Folder, name: OsString) -> io::Result<(Option<Self>, Notes)> {
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

    pub(super) fn write(&self, notes: &Notes) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(notes)?;
        bytes.push(b'\n');
        self.file.write_all_at(&bytes, 0)?;
        self.file.set_len(bytes.len() as u64)
    }
}

/// The folder for the state of the user's programs, or of the service that this is.
pub(super) fn place(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
    let folder = |name| variable(name).map(PathBuf::from).and_then(absolute);
    // systemd separates several by colons.
    let service =
        variable("STATE_DIRECTORY").and_then(|all| env::split_paths(&all).next().and_then(absolute));
    let user = || folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")));
    service.or_else(|| Some(user()?.join("edgeclip")))
}
