//! A file that a command will write, checked before the work begins.

use std::ffi::{OsStr, OsString};
use std::fs::{self, FileType, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{AtomicFile, Inputs};
use crate::error::{self, Error, Result};
use crate::system::Folder;

/// Where the bytes go.
pub(crate) struct Target {
    path: PathBuf,
    name: String,
    mode: u32,
    way: Way,
}

enum Way {
    /// A file of this name in the folder; with `force`, one that is there is replaced.
    File { folder: Rc<Folder>, name: OsString, force: bool },
    /// A pipe or device, of which nothing is lost by writing to it.
    Stream,
}

impl Target {
    /// Checks that a file can be written at `path`, for `flag`.
    ///
    /// # Errors
    /// [`Error::Settings`] if it is one of the `inputs`, or, without `force`, if anything is there already;
    /// [`Error::Device`] if there is no such folder.
    pub(crate) fn new(path: &Path, flag: &str, mode: u32, force: bool, inputs: &Inputs) -> Result<Self> {
        let name = || path.display().to_string();
        let io = |source| Error::io(error::ErrorKind::Device, name(), source);
        inputs.refuse_file(path, flag)?;
        let way = |way| Self { path: path.to_owned(), name: name(), mode, way };
        let is_stream = |kind: FileType| kind.is_fifo() || kind.is_char_device();
        if fs::metadata(path).is_ok_and(|about| is_stream(about.file_type())) {
            return Ok(way(Way::Stream));
        }
        let Some(file) = path.file_name().filter(|_| !path.is_dir()) else {
            return Err(Error::settings(name(), "a folder", format!("a file for {flag}")));
        };
        let folder = Folder::open(path.parent().unwrap_or(Path::new(""))).map_err(io)?;
        if let Some(found) = taken(&folder, file).map_err(io)?.filter(|_| !force) {
            return Err(Error::settings(
                name(),
                found,
                format!("a free name for {flag}, or --force to replace it"),
            ));
        }
        Ok(way(Way::File { folder: Rc::new(folder), name: file.to_owned(), force }))
    }

    /// A file of a folder that has been checked.
    pub(crate) fn within(folder: &Rc<Folder>, path: &Path, file: &OsStr, mode: u32, force: bool) -> Self {
        let path = path.join(file);
        let way = Way::File { folder: Rc::clone(folder), name: file.to_owned(), force };
        Self { name: path.display().to_string(), path, mode, way }
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a symbolic link has its name, which would be replaced.
    pub(crate) fn is_link(&self) -> bool {
        match &self.way {
            Way::Stream => false,
            Way::File { folder, name, .. } => {
                folder.about(name).is_ok_and(|about| about.is_some_and(|about| about.is_symlink()))
            }
        }
    }

    /// Writes the file: whole, or not at all.
    ///
    /// # Errors
    /// [`Error::Device`], for example if the disk is full, or a file of that name has appeared meanwhile.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<()> {
        let written = match &self.way {
            Way::Stream => {
                OpenOptions::new().write(true).open(&self.path).and_then(|mut file| file.write_all(bytes))
            }
            Way::File { folder, name, force } => {
                let file = AtomicFile::write(folder, bytes, self.mode, false);
                file.and_then(|file| if *force { file.replace(name) } else { file.commit(name) })
            }
        };
        let name = &*self.name;
        written.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => Error::device(name, "a file that has just appeared", "a free name"),
            _ => Error::io(error::ErrorKind::Device, name, source),
        })
    }
}

/// What has this name in the folder already; `None` if it is free.
pub(crate) fn taken(folder: &Folder, name: &OsStr) -> io::Result<Option<&'static str>> {
    let about = folder.about(name)?;
    Ok(about.map(|about| match about.file_type() {
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_file() => "a file that is there already",
        _ => "something that is there already",
    }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::super::{PRIVATE, PUBLIC};
    use super::*;

    fn target(path: &Path, force: bool) -> Result<Target> {
        Target::new(path, "--out", PUBLIC, force, &Inputs::default())
    }

    #[test]
    fn what_is_there_is_replaced_on_request_only_and_links_are_never_followed() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        fs::write(path("old"), "old").unwrap();
        symlink("old", path("link")).unwrap();
        symlink("nothing", path("dangling")).unwrap();
        for (name, found) in [
            ("old", "a file that is there already"),
            ("link", "a symbolic link"),
            ("dangling", "a symbolic link"),
        ] {
            let error = target(&path(name), false).err().unwrap().to_string();
            let expected =
                format!("{name}: found {found}, expected a free name for --out, or --force to replace it");
            assert!(error.ends_with(&expected), "{error}");
        }
        target(&path("link"), true).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read(path("old")).unwrap(), b"old");
        assert_eq!(fs::read(path("link")).unwrap(), b"new");
        assert!(fs::symlink_metadata(path("link")).unwrap().is_file());
        let late = target(&path("late"), false).unwrap();
        fs::write(path("late"), "theirs").unwrap();
        let error = late.write(b"ours").unwrap_err().to_string();
        assert!(error.contains("just appeared") && fs::read(path("late")).unwrap() == b"theirs", "{error}");
        assert!(target(place.path(), true).err().unwrap().to_string().contains("found a folder"));
        assert!(target(&path("no/x"), false).err().unwrap().to_string().contains("No such file"));
    }

    #[test]
    fn devices_are_written_to() {
        let null = Target::new(Path::new("/dev/null"), "--out", PRIVATE, false, &Inputs::default()).unwrap();
        null.write(b"x").unwrap();
    }
}
