//! What a call asks to be taken as examples: pictures, with what they show and where.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::source::expand;
use crate::vocabulary::Kind;

/// A picture with what it shows, or why there is none.
pub(in crate::cli::vocab) type Asked = Result<Shown>;

/// A picture with what it shows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::vocab) struct Shown {
    /// The file.
    pub path: PathBuf,
    /// Width and height, if those who drew the boxes say so.
    pub size: Option<(u32, u32)>,
    /// What is on it.
    pub things: Vec<Thing>,
}

/// Something on a picture.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::vocab) struct Thing {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// Where something is on a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::cli::vocab) enum Place {
    /// In the box that holds something most certainly.
    Best,
    /// It fills the picture.
    Whole,
    /// In a box in pixels.
    Pixels(Rect),
    /// In a box in fractions of the picture's sides.
    Fractions(Rect),
}

/// The pictures of a command line, which all show the same.
///
/// # Errors
/// [`Error::Settings`] if there are neither one box nor as many boxes as pictures.
pub(super) fn pictures(
    name: &str,
    arguments: &[PathBuf],
    boxes: &[Rect],
    whole: bool,
    kind: Option<Kind>,
) -> Result<Vec<Asked>> {
    if arguments.is_empty() {
        return Ok(Vec::new());
    }
    let pictures = expand(arguments);
    if boxes.len() > 1 && boxes.len() != pictures.len() {
        let found = format!("{} boxes for {} pictures", boxes.len(), pictures.len());
        return Err(Error::settings("--box", found, "one for all pictures, or one for each"));
    }
    let thing = kind.unwrap_or_default() == Kind::Thing;
    let place = |index: usize| match boxes.get(index).or_else(|| boxes.first()) {
        Some(rect) => Place::Pixels(*rect),
        None if whole || !thing => Place::Whole,
        None => Place::Best,
    };
    let asked = pictures.into_iter().enumerate().map(|(index, path)| {
        let things = vec![Thing { name: name.to_owned(), place: place(index) }];
        path.map(|path| Shown { path, size: None, things })
    });
    Ok(asked.collect())
}
