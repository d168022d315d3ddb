//! A folder for a data set that is made.

use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;

use crate::error::{Error, ErrorKind, Result};
use crate::sinks::{Inputs, PRIVATE, Target};
use crate::system::{Folder, read_within};

/// Most bytes of a snapshot's picture.
const LARGEST_PICTURE: u64 = 512 << 20;

/// A folder that a data set is written into.
pub(super) struct Room<'a> {
    path: &'a Path,
    force: bool,
}

impl<'a> Room<'a> {
    /// # Errors
    /// [`Error::Settings`] if it is a file, not empty, or its pictures are read.
    pub(super) fn new(path: &'a Path, force: bool, inputs: &Inputs) -> Result<Self> {
        inputs.refuse_folder(path, "--out", "x.jpg")?;
        if path.is_file() {
            return Err(Error::settings(path.display().to_string(), "a file", "a folder for --out"));
        }
        let is_empty = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if path.exists() && !is_empty && !force {
            let expected = "a new or empty folder for --out, or --force to replace files";
            return Err(Error::settings(path.display().to_string(), "a folder that is not empty", expected));
        }
        Ok(Self { path, force })
    }

    /// Writes files into a folder of the data set.
    ///
    /// # Errors
    /// One cannot be made or written.
    pub(super) fn write(
        &self,
        folder: &str,
        files: impl Iterator<Item = Result<(String, Vec<u8>)>>,
    ) -> Result<()> {
        let path = self.path.join(folder);
        let made = Folder::make(&path);
        let made =
            Rc::new(made.map_err(|source| Error::io(ErrorKind::Device, path.display().to_string(), source))?);
        for file in files {
            let (name, bytes) = file?;
            Target::within(&made, &path, OsStr::new(&name), PRIVATE, self.force).write(&bytes)?;
        }
        Ok(())
    }

    /// Copies pictures, given with their names in the data set.
    ///
    /// # Errors
    /// One cannot be read or written.
    pub(super) fn copy<'p>(
        &self,
        folder: &str,
        pictures: impl Iterator<Item = (String, &'p Path)>,
    ) -> Result<()> {
        let file = |(name, path): (String, &Path)| {
            let bytes = read_within(path, LARGEST_PICTURE);
            let bytes = bytes
                .map_err(|error| Error::input(path.display().to_string(), error.to_string(), "a picture"))?;
            Ok((name, bytes))
        };
        self.write(folder, pictures.map(file))
    }
}
