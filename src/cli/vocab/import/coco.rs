//! COCO's annotations: images, categories and boxes `[x, y, width, height]` in pixels.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::super::shown::{Place, Shown};
use super::gathered::{Gathered, picture};
use crate::error::{Error, Result};
use crate::geometry::Rect;

#[derive(Deserialize)]
struct Content {
    images: Vec<Image>,
    categories: Vec<Category>,
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Image {
    id: i64,
    file_name: String,
    width: Option<u32>,
    height: Option<u32>,
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: i64,
    category_id: i64,
    bbox: [f32; 4],
    #[serde(default)]
    iscrowd: u8,
}

/// # Errors
/// [`Error::Input`] if it is no such file, or its parts do not belong together.
pub(super) fn parse(name: &str, text: &str, images: &Path) -> Result<Vec<Shown>> {
    let expected = "COCO annotations: images, categories and annotations with bbox";
    let content: Content =
        serde_json::from_str(text).map_err(|error| Error::input(name, error.to_string(), expected))?;
    let known: HashMap<i64, &Image> = content.images.iter().map(|image| (image.id, image)).collect();
    let names: HashMap<i64, &str> =
        content.categories.iter().map(|category| (category.id, category.name.as_str())).collect();
    let mut gathered = Gathered::default();
    // A crowd's box holds many.
    for annotation in content.annotations.iter().filter(|annotation| annotation.iscrowd == 0) {
        let Annotation { image_id, category_id, bbox: [x, y, w, h], .. } = *annotation;
        let missing = |what: String| Error::input(name, what, "one in the same file");
        let image = known.get(&image_id).ok_or_else(|| missing(format!("a box of image {image_id}")))?;
        let label =
            names.get(&category_id).ok_or_else(|| missing(format!("a box of category {category_id}")))?;
        let rect = Rect { x0: x, y0: y, x1: x + w, y1: y + h };
        let size = image.width.zip(image.height);
        gathered.add(picture(name, images, &image.file_name)?, size, label, Place::Pixels(rect));
    }
    Ok(gathered.pictures)
}
