//! Folders as cameras, phones and people leave them.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::super::picture::converter;
use super::natural;
use crate::error::{Error, ErrorKind, Result};

/// Extensions, in lower case, of the pictures in a folder. How they are decoded depends on their contents.
pub(super) const EXTENSIONS: [&str; 8] = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp"];
/// Levels of folders in folders: `DCIM/100CANON`, `2026/11/30`.
const DEPTH: usize = 4;
/// Folders of network drives and desktops that hold copies and previews.
const NOT_THE_USERS: [&str; 4] = ["@eaDir", "__MACOSX", "#recycle", "$RECYCLE.BIN"];

/// What a folder holds.
#[derive(Debug, Default)]
pub(in crate::source) struct Folder {
    /// Picture files, in no particular order.
    pub pictures: Vec<PathBuf>,
    /// Folders in it.
    folders: Vec<PathBuf>,
    /// Pictures that cannot be decoded, by format: how many, one of them, what converts it.
    foreign: BTreeMap<&'static str, (usize, PathBuf, &'static str)>,
}

impl Folder {
    /// Reads `folder`, without the folders in it. Hidden files, uploads that go on (`.part`, `.tmp`) and what
    /// desktops leave (`._photo.jpg`, `Thumbs.db`) are passed over.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let io = |source| Error::io(ErrorKind::Input, folder.display().to_string(), source);
        let mut found = Self::default();
        for entry in fs::read_dir(folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with('.') || NOT_THE_USERS.contains(&name.as_str()) {
                continue;
            }
            let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
            let extension = extension.unwrap_or_default();
            if EXTENSIONS.contains(&extension.as_str()) {
                // A folder may be called like a picture.
                if path.is_file() {
                    found.pictures.push(path);
                }
            } else if let Some((format, converter)) = converter(&extension) {
                found.foreign.entry(format).or_insert((0, path, converter)).0 += 1;
            } else if path.is_dir() {
                found.folders.push(path);
            }
        }
        Ok(found)
    }

    /// Its pictures, sorted. Where it has none, those of the folders in it, as in a camera's `DCIM`. Tells which
    /// files cannot be read.
    ///
    /// # Errors
    /// It cannot be read, or holds no picture.
    pub(crate) fn pictures(path: &Path) -> Result<Vec<PathBuf>> {
        let mut found = Self::read(path)?;
        if found.pictures.is_empty() {
            found.descend(DEPTH, &|_| true);
        }
        let Self { mut pictures, foreign, .. } = found;
        if pictures.is_empty() {
            let expected = format!("files ending in {}", EXTENSIONS.join(", "));
            let (found, expected) = match foreign.first_key_value() {
                Some((format, (count, _, converter))) => {
                    let files = if *count == 1 { "1 file".to_owned() } else { format!("{count} files") };
                    (
                        format!("a folder with {files} of {format} and no picture that can be read"),
                        format!("{expected}: {converter}"),
                    )
                }
                None => ("a folder without pictures".to_owned(), expected),
            };
            return Err(Error::input(path.display().to_string(), found, expected));
        }
        Self { foreign, ..Self::default() }.tell(path, &mut HashSet::new());
        pictures.sort_by(|a, b| natural(a, b));
        Ok(pictures)
    }

    /// Tells which files in `folder` cannot be read, but for formats that have been told before.
    pub(crate) fn tell(&self, folder: &Path, told: &mut HashSet<&'static str>) {
        for (format, (count, example, converter)) in &self.foreign {
            if told.insert(format) {
                let (folder, example) = (folder.display(), example.display());
                tracing::warn!(
                    "{folder}: {format} cannot be read ({count}, {example} the first): {converter}"
                );
            }
        }
    }

    /// What is there while it is being followed: its pictures, and those of the folders in it that `counts` says
    /// are part of it. `aside` holds the folders that were there beside pictures when this was first called, as for
    /// [`Folder::pictures`]; those that are made later are part of it.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn followed(
        path: &Path,
        aside: &mut Option<HashSet<PathBuf>>,
        counts: &dyn Fn(&Path) -> bool,
    ) -> Result<Self> {
        let mut found = Self::read(path)?;
        let beside = || {
            if found.pictures.is_empty() { HashSet::new() } else { found.folders.iter().cloned().collect() }
        };
        let aside = aside.get_or_insert_with(beside);
        found.descend(DEPTH, &|folder| !aside.contains(folder) && counts(folder));
        Ok(found)
    }

    /// Adds what lies in the folders in it that `counts`, down to a depth. What cannot be read is left out; symbolic
    /// links lead nowhere, since they may lead round.
    fn descend(&mut self, depth: usize, counts: &dyn Fn(&Path) -> bool) {
        for folder in std::mem::take(&mut self.folders).into_iter().filter(|folder| counts(folder)) {
            let linked = fs::symlink_metadata(&folder).is_ok_and(|about| about.is_symlink());
            let Ok(mut inner) = Self::read(&folder) else { continue };
            if linked {
                continue;
            }
            if depth > 1 {
                inner.descend(depth - 1, counts);
            }
            self.pictures.append(&mut inner.pictures);
            for (format, (count, example, converter)) in inner.foreign {
                self.foreign.entry(format).or_insert((0, example, converter)).0 += count;
            }
        }
    }
}
