//! Expands path arguments to picture files.

mod folder;
mod natural;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

pub(super) use folder::Folder;
pub(super) use natural::natural;

/// The picture files that `arguments` name, in order: a file stands for itself, a folder for its pictures,
/// a glob pattern for the files that it matches; both sorted by name, numbers as numbers. A folder without pictures
/// stands for those of the folders in it.
///
/// An argument that names no picture gives an [`Error::Input`] in its place.
pub(crate) fn expand(arguments: &[PathBuf]) -> Vec<Result<PathBuf>> {
    arguments.iter().flat_map(|argument| one(argument)).collect()
}

/// Whether a file is called as pictures are.
pub(crate) fn is_called_picture(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| folder::EXTENSIONS.iter().any(|known| extension == *known))
}

fn one(argument: &Path) -> Vec<Result<PathBuf>> {
    let found = if argument.is_dir() {
        Folder::pictures(argument)
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

fn pattern(pattern: &Path) -> Result<Vec<PathBuf>> {
    let name = pattern.display().to_string();
    let missing =
        || Error::input(&name, "nothing there", "a picture, a folder of pictures or a glob pattern");
    let text = pattern.to_str().filter(|text| text.contains(['*', '?', '['])).ok_or_else(missing)?;
    let text = with_literal_folders(text);
    let hits = glob::glob(&text).map_err(|error| Error::input(&name, error.msg, "a glob pattern"))?;
    let mut files = Vec::new();
    for hit in hits {
        let path = hit.map_err(|error| {
            let name = error.path().display().to_string();
            Error::io(crate::error::ErrorKind::Input, name, error.into())
        })?;
        // As in a shell, patterns do not match hidden files, such as the `._photo.jpg` of other systems.
        let is_hidden =
            |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_file() && (!is_hidden(&path) || is_hidden(pattern)) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Error::input(&name, "a pattern without matches", "a pattern that matches files"));
    }
    files.sort_by(|a, b| natural(a, b));
    Ok(files)
}

/// `pattern` with the longest folder in front that exists as it is written taken literally: `Photos [2024]/*.jpg`.
fn with_literal_folders(pattern: &str) -> String {
    let folders = pattern.rmatch_indices('/').map(|(at, _)| pattern.split_at(at));
    let literal = folders.into_iter().find(|(folder, _)| !folder.is_empty() && Path::new(folder).is_dir());
    literal.map_or_else(|| pattern.to_owned(), |(folder, rest)| glob::Pattern::escape(folder) + rest)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
