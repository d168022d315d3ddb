//! Expands path arguments to picture files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Extensions, in lower case, of the pictures in a folder. How they are decoded depends on their contents.
const EXTENSIONS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "bmp"];

/// The picture files that `arguments` name, in order: a file stands for itself, a folder for its pictures
/// sorted by name (without subfolders), a glob pattern for the files that it matches, sorted.
///
/// An argument that names no picture gives an [`Error::Input`] in its place.
pub(crate) fn expand(arguments: &[PathBuf]) -> Vec<Result<PathBuf>> {
    arguments.iter().flat_map(|argument| one(argument)).collect()
}

fn one(argument: &Path) -> Vec<Result<PathBuf>> {
    let found = if argument.is_dir() {
        folder(argument)
    } else if argument.exists() {
        return vec![Ok(argument.to_owned())];
    } else {
        pattern(argument)
    };
    match found {
        Ok(paths) => paths.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

fn folder(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut pictures = pictures_in(folder)?;
    if pictures.is_empty() {
        let expected = format!("files ending in {}", EXTENSIONS.join(", "));
        return Err(Error::input(folder.display().to_string(), "a folder without pictures", expected));
    }
    pictures.sort();
    Ok(pictures)
}

/// The picture files of a folder, in no particular order; may be empty.
pub(super) fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let io = |source| Error::io(ErrorKind::Input, folder.display().to_string(), source);
    let mut pictures = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str())) && path.is_file() {
            pictures.push(path);
        }
    }
    Ok(pictures)
}

fn pattern(pattern: &Path) -> Result<Vec<PathBuf>> {
    let name = pattern.display().to_string();
    let missing =
        || Error::input(&name, "nothing there", "a picture, a folder of pictures or a glob pattern");
    let text = pattern.to_str().filter(|text| text.contains(['*', '?', '['])).ok_or_else(missing)?;
    let hits = glob::glob(text).map_err(|error| Error::input(&name, error.msg, "a glob pattern"))?;
    let mut files = Vec::new();
    for hit in hits {
        let path = hit.map_err(|error| {
            let name = error.path().display().to_string();
            Error::io(ErrorKind::Input, name, error.into())
        })?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Error::input(&name, "a pattern without matches", "a pattern that matches files"));
    }
    files.sort();
    Ok(files)
}
