//! Streams of records: standard output, a file, a named pipe.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::files::{AtomicFile, PRIVATE};
use crate::error::{self, Error, Result};
use crate::system::{FileId, Folder};

/// Bytes at the beginning of a file by which edgeclip knows it.
const HEAD: usize = 512;

/// A stream of records, each written whole or, as far as the target allows, not at all.
pub(crate) struct Output {
    name: String,
    way: Way,
}

enum Way {
    Writer { writer: Box<dyn Write + Send>, begun: bool },
    File(Appended),
    Pipe { path: PathBuf, open: Option<File>, begun: bool },
}

/// Which files are edgeclip's own, so that a run may go on where an earlier one ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own {
    /// What such a file is called.
    pub what: &'static str,
    /// Whether a file that begins like this is one.
    pub begins: fn(&[u8]) -> bool,
}

/// A file that grows.
struct Appended {
    folder: Folder,
    name: OsString,
    own: Own,
    file: File,
}

impl Output {
    /// Standard output. Records of several sinks do not mix.
    pub(crate) fn stdout() -> Self {
        Self::new("standard output", io::stdout())
    }

    /// Any writer; messages call it `name`.
    pub(crate) fn new(name: &str, writer: impl Write + Send + 'static) -> Self {
        Self { name: name.to_owned(), way: Way::Writer { writer: Box::new(writer), begun: false } }
    }

    /// Opens `path` for appending and creates the file, readable by this user alone, if there is none. The
    /// reader of a named pipe (FIFO) may come, go and come back; records that nobody reads are lost.
    ///
    /// # Errors
    /// [`Error::Settings`] if there is a link, or a file that is neither empty nor edgeclip's `own`; with
    /// `force`, either is replaced. [`Error::Device`] if the file cannot be opened.
    pub(crate) fn open(path: &Path, own: Own, force: bool) -> Result<Self> {
        let name = path.display().to_string();
        let io = |source| Error::io(error::ErrorKind::Device, name.clone(), source);
        let kind = path.metadata().map(|found| found.file_type());
        if kind.as_ref().is_ok_and(FileTypeExt::is_fifo) {
            return Ok(Self { name, way: Way::Pipe { path: path.to_owned(), open: None, begun: false } });
        }
        if kind.is_ok_and(|kind| !kind.is_file() && !kind.is_dir()) {
            let device = OpenOptions::new().write(true).open(path).map_err(io)?;
            return Ok(Self::new(&name, device));
        }
        let Some(file) = path.file_name().filter(|_| !path.is_dir()) else {
            return Err(Error::settings(name, "a folder", "a file"));
        };
        let folder = Folder::open(path.parent().unwrap_or(Path::new(""))).map_err(io)?;
        match Appended::open(folder, file.to_owned(), own, force) {
            Ok(file) => Ok(Self { name, way: Way::File(file) }),
            Err(Refusal::Foreign(found)) => {
                let expected = format!("a free name, {} to go on with, or --force to replace it", own.what);
                Err(Error::settings(name, found, expected))
            }
            Err(Refusal::Io(source)) => Err(io(source)),
        }
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the next record will be the first in the file, or for the reader of a pipe.
    pub(super) fn is_at_start(&mut self) -> bool {
        match &mut self.way {
            Way::Writer { begun, .. } | Way::Pipe { begun, .. } => !*begun,
            // What cannot be opened again fails when it is written to.
            Way::File(file) => file.refresh().is_ok() && file.length() == Some(0),
        }
    }

    /// Writes `record`.
    ///
    /// # Errors
    /// [`Error::Device`], for example if the disk is full. A file is then cut back to its last whole record.
    pub(crate) fn write(&mut self, record: &[u8]) -> Result<()> {
        let written = match &mut self.way {
            Way::Writer { writer, begun } => {
                *begun = true;
                writer.write_all(record).and_then(|()| writer.flush())
            }
            Way::File(file) => file.append(record),
            Way::Pipe { path, open, begun } => feed(path, open, begun, record),
        };
        written.map_err(|source| Error::io(error::ErrorKind::Device, self.name.clone(), source))
    }
}

/// Why a file is not appended to.
enum Refusal {
    /// It is somebody else's.
    Foreign(&'static str),
    Io(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Appended {
    fn open(folder: Folder, name: OsString, own: Own, force: bool) -> std::result::Result<Self, Refusal> {
        let opened = open_own(&folder, &name, own);
        if let (Err(Refusal::Foreign(_)), true) = (&opened, force) {
            AtomicFile::write(&folder, &[], PRIVATE, false)?.replace(&name)?;
            let file = folder.append(&name)?;
            return Ok(Self { folder, name, own, file });
        }
        Ok(Self { file: opened?, folder, name, own })
    }

    /// Opens the file anew if it is not at its path any more, for example because logs are rotated.
    fn refresh(&mut self) -> io::Result<()> {
        let is_ours = |there: Option<Metadata>| {
            let ours = self.file.metadata();
            there.is_some_and(|there| ours.is_ok_and(|ours| FileId::of(&there) == FileId::of(&ours)))
        };
        if !self.folder.refresh()? && is_ours(self.folder.about(&self.name)?) {
            return Ok(());
        }
        self.file = open_own(&self.folder, &self.name, self.own).map_err(|refusal| match refusal {
            Refusal::Foreign(found) => io::Error::other(format!("{found} has taken its place")),
            Refusal::Io(error) => error,
        })?;
        Ok(())
    }

    fn length(&self) -> Option<u64> {
        self.file.metadata().ok().map(|found| found.len())
    }

    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        self.refresh()?;
        let before = self.length();
        self.file.write_all(record).inspect_err(|_| {
            // If even this fails, the file ends with part of a record.
            let _ = before.map(|length| self.file.set_len(length));
        })
    }
}

/// Opens the file of this name if it is empty or our own; makes it if there is none.
fn open_own(folder: &Folder, name: &OsString, own: Own) -> std::result::Result<File, Refusal> {
    let Some(about) = folder.about(name)? else { return Ok(folder.create_to_append(name, PRIVATE)?) };
    if !about.is_file() {
        let link = about.file_type().is_symlink();
        return Err(Refusal::Foreign(if link { "a symbolic link" } else { "something other than a file" }));
    }
    let file = folder.append(name)?;
    let mut head = Vec::new();
    (&file).take(HEAD as u64).read_to_end(&mut head)?;
    if head.is_empty() || (own.begins)(&head) {
        return Ok(file);
    }
    Err(Refusal::Foreign("a file that edgeclip did not write"))
}

/// Writes to a named pipe if somebody reads it.
fn feed(path: &Path, open: &mut Option<File>, begun: &mut bool, record: &[u8]) -> io::Result<()> {
    if open.is_none() {
        *begun = false;
        *open = reached(path)?;
    }
    let Some(file) = open else { return Ok(()) };
    match file.write_all(record) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => (*open, *begun) = (None, false),
        written => {
            written?;
            *begun = true;
        }
    }
    Ok(())
}

/// The pipe, opened for writing; `None` if nobody reads it. A plain open would wait for a reader, even past
/// the end of the program.
fn reached(path: &Path) -> io::Result<Option<File>> {
    // What has taken the place of the pipe is not written to.
    if !fs::metadata(path)?.file_type().is_fifo() {
        return Err(io::Error::other("it is no named pipe any more"));
    }
    let probe = OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path);
    match probe {
        // While the probe is open, this open does not block; unlike the probe, its writes block while the
        // reader is slow.
        Ok(_probe) => OpenOptions::new().write(true).open(path).map(Some),
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
