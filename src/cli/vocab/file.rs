//! A vocabulary file that is changed: as a whole or not at all, one command after the other, and the last change
//! can be undone.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Bundle;
use crate::sinks::{AtomicFile, Inputs, PUBLIC};
use crate::source::is_called_picture;
use crate::system::Folder;
use crate::vocabulary::Vocabulary;

/// Begins the file that undoes a change; the sha256 of what the change wrote and a line end follow, then what was
/// there before.
const UNDO: &str = "edgeclip-undo-1 ";

/// Where a vocabulary is kept.
pub(super) struct VocabularyFile {
    shown: String,
    folder: Folder,
    name: OsString,
}

impl VocabularyFile {
    /// The file at `path`, or where a link there leads. It need not exist.
    ///
    /// # Errors
    /// [`Error::Settings`] if it is one of the `inputs` or a folder; [`Error::Device`] if there is no such
    /// folder.
    pub(super) fn new(path: &Path, inputs: &Inputs) -> Result<Self> {
        let shown = crate::cli::shown(path);
        inputs.refuse_file(path, "the vocabulary file")?;
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
            return Err(Error::settings(shown, "a folder", "a file such as things.vocab.safetensors"));
        };
        if !path.exists() && is_called_picture(&path) {
            let expected = "the vocabulary file before the pictures, such as things.vocab.safetensors";
            return Err(Error::settings(shown, "the name of a picture", expected));
        }
        let folder = Folder::open(path.parent().unwrap_or(Path::new("")));
        let folder = folder.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => {
                Error::settings(&shown, "no folder of this name", "a file in a folder that is there")
            }
            _ => Error::io(ErrorKind::Device, &shown, source),
        })?;
        Ok(Self { shown, folder, name: name.to_owned() })
    }

    /// What messages call it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The vocabulary that it holds; `None` if there is no file.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read or is broken.
    pub(super) fn read(&self) -> Result<Option<Vocabulary>> {
        self.bytes()?.map(|bytes| Vocabulary::from_bytes(&self.shown, &bytes)).transpose()
    }

    /// The same of a file that must be there.
    ///
    /// # Errors
    /// As [`VocabularyFile::read`], and if there is none.
    pub(super) fn existing(&self) -> Result<Vocabulary> {
        self.read()?.ok_or_else(|| self.missing())
    }

    /// Changes what the file holds, or makes it with what `new` gives. Whatever fails, the file stays as it was.
    ///
    /// # Errors
    /// Those of `new` and `change`; the file cannot be read or written, or something else changes it at the same
    /// time.
    pub(super) fn update<T>(
        &self,
        new: impl FnOnce() -> Result<Vocabulary>,
        change: impl FnOnce(&mut Vocabulary) -> Result<T>,
    ) -> Result<T> {
        let _lock = self.folder.lock().map_err(|source| self.io(source))?;
        let before = self.bytes()?;
        let mut vocabulary = match &before {
            Some(bytes) => Vocabulary::from_bytes(&self.shown, bytes)?,
            None => new()?,
        };
        let result = change(&mut vocabulary)?;
        if vocabulary.len() == 0 {
            let expected = "one name at least; delete the file if it is needed no more";
            return Err(Error::settings(&self.shown, "a vocabulary without names", expected));
        }
        let after = vocabulary.to_bytes()?;
        if before.as_ref() != Some(&after) {
            let undo = [undo_head(&after).as_bytes(), before.as_deref().unwrap_or_default()].concat();
            self.replace(before.as_deref(), &after, Some(&undo))?;
        }
        Ok(result)
    }

    /// Takes the last change back.
    ///
    /// # Errors
    /// There is none, it made the file, or the file has been changed in another way since.
    pub(super) fn undo(&self) -> Result<()> {
        let _lock = self.folder.lock().map_err(|source| self.io(source))?;
        let now = self.bytes()?.ok_or_else(|| self.missing())?;
        let nothing = |found: &str, expected: &str| Error::settings(&self.shown, found, expected);
        let undo = self.contents(&self.undo_name()).map_err(|source| self.io(source))?;
        let undo =
            undo.ok_or_else(|| nothing("no change to undo", "one by `edgeclip vocab add` or the like"))?;
        let before = undo.strip_prefix(undo_head(&now).as_bytes()).ok_or_else(|| {
            nothing("a file that was changed in another way since", "the file as the last change left it")
        })?;
        if before.is_empty() {
            return Err(nothing(
                "a file that the last change made",
                "an earlier state; delete the file instead",
            ));
        }
        // What is taken back can be had again in the same way.
        let redo = [undo_head(before).as_bytes(), &now].concat();
        self.replace(Some(&now), before, Some(&redo))
    }

    /// That what it holds is of the model's text tower and, where there are examples, of its feature space.
    ///
    /// # Errors
    /// [`Error::Model`] if it is not.
    pub(super) fn check_fits(&self, vocabulary: &Vocabulary, bundle: &Bundle) -> Result<()> {
        let fits = vocabulary.check_fits(&self.shown, &bundle.manifest);
        fits.map_err(|error| error.advised(": `edgeclip vocab renew` embeds words and kept crops again"))
    }

    /// Where crops of the pictures behind examples are kept.
    pub(super) fn crops(&self) -> PathBuf {
        let name = self.name.to_string_lossy();
        let stem = name.strip_suffix(".safetensors").unwrap_or(&name);
        self.folder.path().join(format!("{}.crops", stem.strip_suffix(".vocab").unwrap_or(stem)))
    }

    fn bytes(&self) -> Result<Option<Vec<u8>>> {
        let unreadable = |error: io::Error| Error::input(&self.shown, error.to_string(), "a vocabulary file");
        self.contents(&self.name).map_err(unreadable)
    }

    fn contents(&self, name: &OsString) -> io::Result<Option<Vec<u8>>> {
        let file = match self.folder.read(name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("something that is no plain file"));
        }
        let bytes = Vocabulary::read_file(file)?;
        bytes.map(Some).map_err(|expected| io::Error::other(format!("a longer file than that ({expected})")))
    }

    /// Replaces `before` by `after`.
    fn replace(&self, before: Option<&[u8]>, after: &[u8], undo: Option<&[u8]>) -> Result<()> {
        let mode = fs::metadata(self.folder.path().join(&self.name));
        let mode = mode.map_or(PUBLIC, |about| about.permissions().mode() & 0o777);
        let io = |source| self.io(source);
        let file = AtomicFile::write(&self.folder, after, mode, true).map_err(io)?;
        let undo =
            undo.map(|undo| AtomicFile::write(&self.folder, undo, mode, true)).transpose().map_err(io)?;
        if self.bytes()?.as_deref() != before {
            let found = "a file that another program has just changed";
            return Err(Error::device(&self.shown, found, "no other change meanwhile; try again"));
        }
        if let Some(undo) = undo {
            undo.replace(&self.undo_name()).map_err(io)?;
        }
        let committed = if before.is_some() { file.replace(&self.name) } else { file.commit(&self.name) };
        committed.map_err(io)
    }

    fn undo_name(&self) -> OsString {
        let mut name = OsString::from(".");
        name.push(&self.name);
        name.push(".undo");
        name
    }

    fn missing(&self) -> Error {
        let expected = "a vocabulary file; `edgeclip vocab add` or `edgeclip vocab build` makes one";
        Error::input(&self.shown, "nothing there", expected)
    }

    fn io(&self, source: io::Error) -> Error {
        Error::io(ErrorKind::Device, &self.shown, source)
    }
}

fn undo_head(after: &[u8]) -> String {
    format!("{UNDO}{}\n", hexadecimal(&Sha256::digest(after)))
}

/// Bytes in lower-case hexadecimal.
pub(in crate::cli) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
