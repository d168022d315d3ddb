//! Streams of records: standard output, a file, a named pipe.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{self, Error, Result};

/// A stream of records, each written whole or, as far as the target allows, not at all.
pub(crate) struct Output {
    name: String,
    way: Way,
}

enum Way {
    Writer { writer: Box<dyn Write + Send>, begun: bool },
    File(File),
    Pipe { path: PathBuf, open: Option<File>, begun: bool },
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

    /// Opens `path` for appending and creates the file if there is none. The reader of a named pipe (FIFO)
    /// may come, go and come back; records that nobody reads are lost.
    ///
    /// # Errors
    /// [`Error::Device`] if the file cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let is_pipe = |found: Metadata| found.file_type().is_fifo();
        if path.metadata().is_ok_and(is_pipe) {
            return Ok(Self { name, way: Way::Pipe { path: path.to_owned(), open: None, begun: false } });
        }
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|source| Error::io(error::ErrorKind::Device, name.clone(), source))?;
        Ok(Self { name, way: Way::File(file) })
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the next record will be the first in the file, or for the reader of a pipe.
    pub(super) fn is_at_start(&self) -> bool {
        match &self.way {
            Way::Writer { begun, .. } | Way::Pipe { begun, .. } => !begun,
            Way::File(file) => file.metadata().is_ok_and(|found| found.is_file() && found.len() == 0),
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
            Way::File(file) => append(file, record),
            Way::Pipe { path, open, begun } => feed(path, open, begun, record),
        };
        written.map_err(|source| Error::io(error::ErrorKind::Device, self.name.clone(), source))
    }
}

fn append(file: &mut File, record: &[u8]) -> io::Result<()> {
    let before = file.metadata().ok().filter(Metadata::is_file).map(|found| found.len());
    file.write_all(record).inspect_err(|_| {
        // If even this fails, the file ends with part of a record.
        let _ = before.map(|length| file.set_len(length));
    })
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
