//! `detect --format yolo`: a file of labels for each picture.

use std::collections::HashSet;
use std::iter::once;
use std::path::Path;
use std::sync::Arc;

use super::room::Room;
use crate::error::{Error, Result};
use crate::report::PictureReport;
use crate::sinks::{Inputs, yolo};

/// The names of the classes, one per line.
const CLASSES: &str = "classes.txt";

/// A folder of labels.
pub(super) struct Labels<'a> {
    room: Room<'a>,
    written: HashSet<String>,
}

impl<'a> Labels<'a> {
    /// # Errors
    /// Those of [`Room::new`].
    pub(super) fn new(folder: &'a Path, force: bool, inputs: &Inputs) -> Result<Self> {
        // Not the name of a picture's labels, either.
        let written = HashSet::from([CLASSES.to_owned()]);
        Ok(Self { room: Room::new(folder, force, inputs)?, written })
    }

    /// Writes the labels of a picture: `a.txt` for `photos/a.jpg`.
    ///
    /// # Errors
    /// The file cannot be written, or another picture's labels have that name.
    pub(super) fn add(&mut self, report: &PictureReport<'_>) -> Result<()> {
        let stem = Path::new(report.path).file_stem().unwrap_or_default();
        let name = format!("{}.txt", stem.to_string_lossy());
        if !self.written.insert(name.clone()) {
            let expected = "pictures whose names differ before their ending: a folder at a time";
            return Err(Error::settings(report.path, format!("another file called {name}"), expected));
        }
        self.room.write("", once(Ok((name, yolo(report).into_bytes()))))
    }

    /// Writes the names of the classes.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn finish(&self, names: &[Arc<str>]) -> Result<()> {
        let names: String = names.iter().map(|name| format!("{name}\n")).collect();
        self.room.write("", once(Ok((CLASSES.to_owned(), names.into_bytes()))))
    }
}
