//! CVAT for images: `annotations.xml` with boxes and tags of each image.

use std::path::Path;

use super::super::shown::{Place, Shown};
use super::gathered::{Gathered, picture};
use super::xml::{self, Element};
use crate::error::{Error, Result};
use crate::geometry::Rect;

/// # Errors
/// [`Error::Input`] if it is no such file.
pub(super) fn parse(file: &str, text: &str, images: &Path) -> Result<Vec<Shown>> {
    let root = xml::parse(file, text)?;
    let wrong =
        |found: String| Error::input(file, found, "CVAT's annotations for images, with image and box");
    if root.name != "annotations" {
        return Err(wrong(format!("<{}>", root.name)));
    }
    let mut gathered = Gathered::default();
    for image in root.all("image") {
        let name = image.attribute("name").ok_or_else(|| wrong("an image without a name".to_owned()))?;
        let side = |name: &str| image.attribute(name)?.parse::<u32>().ok();
        let size = side("width").zip(side("height"));
        for mark in &image.children {
            let place = match mark.name.as_str() {
                "box" => Place::Pixels(
                    rect(mark).ok_or_else(|| wrong(format!("a box of {name} without corners")))?,
                ),
                "tag" => Place::Whole,
                _ => continue,
            };
            let label =
                mark.attribute("label").ok_or_else(|| wrong(format!("a {} without a label", mark.name)))?;
            gathered.add(picture(file, images, name)?, size, label, place);
        }
    }
    Ok(gathered.pictures)
}

fn rect(mark: &Element) -> Option<Rect> {
    let edge = |name: &str| mark.attribute(name)?.parse::<f32>().ok();
    Some(Rect { x0: edge("xtl")?, y0: edge("ytl")?, x1: edge("xbr")?, y1: edge("ybr")? })
}
