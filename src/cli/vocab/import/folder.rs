//! A folder for each name, as torchvision's `ImageFolder` reads them.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::shown::{Asked, Place, Shown, Thing};
use super::gathered::pictures_of;
use crate::error::{Error, Result};

/// The pictures of each folder in `place`, which the thing that the folder is called after fills.
///
/// # Errors
/// [`Error::Input`] if it cannot be read, or holds no folders.
pub(super) fn read(place: &Path) -> Result<Vec<Asked>> {
    let name = place.display().to_string();
    let unreadable = |error: std::io::Error| Error::input(&name, error.to_string(), "a folder of folders");
    let entries = fs::read_dir(place).map_err(unreadable)?;
    let mut folders: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && !is_hidden(path))
        .collect();
    folders.sort();
    if folders.is_empty() {
        return Err(Error::input(
            &name,
            "no folders in it",
            "a folder of pictures for each name, such as van/",
        ));
    }
    let mut asked = Vec::new();
    for folder in folders {
        let label = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        for picture in pictures_of(&folder) {
            let things = vec![Thing { name: label.clone(), place: Place::Whole }];
            asked.push(picture.map(|path| Shown { path, size: None, things }));
        }
    }
    Ok(asked)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."))
}
