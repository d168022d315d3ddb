//! Pascal VOC: one XML file a picture, in `Annotations/`, with the pictures in `JPEGImages/`, or side by side.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::shown::{Asked, Place, Shown, Thing};
use super::gathered::{picture, text};
use super::xml::{self, Element};
use crate::error::{Error, Result};
use crate::geometry::Rect;

/// # Errors
/// [`Error::Input`] if the folder cannot be read or holds no annotations.
pub(super) fn read(root: &Path) -> Result<Vec<Asked>> {
    let name = root.display().to_string();
    let inner = |name: &str| Some(root.join(name)).filter(|folder| folder.is_dir());
    let annotations = inner("Annotations").unwrap_or_else(|| root.to_owned());
    let pictures = inner("JPEGImages").or_else(|| inner("images")).unwrap_or_else(|| root.to_owned());
    let entries = fs::read_dir(&annotations).map_err(|error| {
        Error::input(&name, error.to_string(), "a folder with Annotations/ and JPEGImages/")
    })?;
    let is_xml =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml"));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_xml).collect();
    files.sort();
    let asked = files
        .iter()
        .map(|file| text(file).and_then(|text| parse(&file.display().to_string(), &text, &pictures)));
    Ok(asked.filter(|shown| !matches!(shown, Ok(shown) if shown.things.is_empty())).collect())
}

/// One picture's boxes.
pub(super) fn parse(file: &str, text: &str, pictures: &Path) -> Result<Shown> {
    let root = xml::parse(file, text)?;
    let wrong = |found: &str| {
        Error::input(file, found, "annotation with filename and object, as Pascal VOC has them")
    };
    if root.name != "annotation" {
        return Err(wrong(&format!("<{}>", root.name)));
    }
    let name = root.text_of("filename").ok_or_else(|| wrong("no filename"))?;
    let size = root.all("size").next().and_then(|size| {
        let side = |name: &str| size.text_of(name)?.parse::<u32>().ok().filter(|side| *side > 0);
        side("width").zip(side("height"))
    });
    let things =
        root.all("object").map(|object| thing(object).ok_or_else(|| wrong("an object without name and box")));
    Ok(Shown { path: picture(file, pictures, name)?, size, things: things.collect::<Result<_>>()? })
}

/// Boxes count pixels from 1, and include their last.
fn thing(object: &Element) -> Option<Thing> {
    let rect = object.all("bndbox").next()?;
    let edge = |name: &str| rect.text_of(name)?.parse::<f32>().ok();
    let rect =
        Rect { x0: edge("xmin")? - 1.0, y0: edge("ymin")? - 1.0, x1: edge("xmax")?, y1: edge("ymax")? };
    Some(Thing { name: object.text_of("name")?.to_owned(), place: Place::Pixels(rect) })
}
