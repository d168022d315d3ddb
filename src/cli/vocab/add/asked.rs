//! The pictures of a command line, with what they show and where.

use std::path::PathBuf;

use super::super::shown::{Asked, Place, Shown, Thing};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::source::expand;
use crate::vocabulary::Kind;

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
