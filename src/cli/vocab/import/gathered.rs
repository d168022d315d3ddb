//! What all kinds of annotations are read with.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use super::super::shown::{Place, Shown, Thing};
use crate::error::{Error, Result};
use crate::source::expand;
use crate::system::Affordable;

/// Most bytes of a file of annotations.
const LARGEST: u64 = 1 << 30;
/// Memory that a file takes, in files: its text, and what it says as numbers and names.
const COPIES: u64 = 6;

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String> {
    let name = || path.display().to_string();
    let wrong = |found: String| Error::input(name(), found, "a text file with annotations");
    let most = Affordable::new(LARGEST, COPIES);
    let read = File::open(path).and_then(|file| most.read(file)).map_err(|error| wrong(error.to_string()))?;
    let bytes = read.ok_or_else(|| Error::input(name(), "a longer file than that", most.expected()))?;
    String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))
}

/// The file that annotations of another machine name: `name` in `folder`, or else its last part there.
///
/// # Errors
/// [`Error::Input`] if it would lead out of the folder.
pub(super) fn picture(annotations: &str, folder: &Path, name: &str) -> Result<PathBuf> {
    let name = name.replace('\\', "/");
    let name = name.trim_start_matches('/');
    let part = Path::new(name);
    let inside = part.components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !inside {
        let found = format!("the picture \"{name}\"");
        return Err(Error::input(annotations, found, "the name of a file in the folder of pictures"));
    }
    let whole = folder.join(part);
    let last = part.file_name().map(|name| folder.join(name));
    Ok(last.filter(|last| !whole.exists() && last.exists()).unwrap_or(whole))
}

/// Boxes by picture, in the order of the first of each.
#[derive(Default)]
pub(super) struct Gathered {
    places: BTreeMap<PathBuf, usize>,
    /// Each with its boxes.
    pub pictures: Vec<Shown>,
}

impl Gathered {
    /// Adds a box of a picture.
    pub(super) fn add(&mut self, path: PathBuf, size: Option<(u32, u32)>, name: &str, place: Place) {
        let next = self.pictures.len();
        let at = *self.places.entry(path.clone()).or_insert(next);
        if at == next {
            self.pictures.push(Shown { path, size, things: Vec::new() });
        }
        if let Some(picture) = self.pictures.get_mut(at) {
            picture.things.push(Thing { name: name.to_owned(), place });
        }
    }
}

/// The pictures of a folder.
pub(super) fn pictures_of(folder: &Path) -> Vec<Result<PathBuf>> {
    expand(&[folder.to_owned()])
}
