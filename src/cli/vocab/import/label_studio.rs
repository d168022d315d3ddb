//! Label Studio's export: tasks with results, rectangles in per cent of the picture or choices for the whole.

use std::path::Path;

use serde_json::Value;

use super::super::shown::{Place, Shown};
use super::gathered::{Gathered, picture};
use crate::error::{Error, Result};
use crate::geometry::Rect;

/// Hexadecimal digits and the hyphen that uploads have in front of their names.
const UPLOAD: usize = 8;

/// # Errors
/// [`Error::Input`] if it is no such file.
pub(super) fn parse(file: &str, text: &str, images: &Path) -> Result<Vec<Shown>> {
    let expected = "Label Studio's export as JSON: tasks with data and annotations";
    let wrong = |found: &str| Error::input(file, found, expected);
    let tasks: Vec<Value> =
        serde_json::from_str(text).map_err(|error| Error::input(file, error.to_string(), expected))?;
    let mut gathered = Gathered::default();
    for task in &tasks {
        let data = task.get("data").and_then(Value::as_object).ok_or_else(|| wrong("a task without data"))?;
        let address = data.get("image").or_else(|| data.values().find(|value| value.is_string()));
        let address = address.and_then(Value::as_str).ok_or_else(|| wrong("a task without a picture"))?;
        let path = picture_of(file, images, address)?;
        let annotations = task.get("annotations").and_then(Value::as_array).into_iter().flatten();
        // What an annotator has thrown away does not count.
        let annotations =
            annotations.filter(|a| a.get("was_cancelled").and_then(Value::as_bool) != Some(true));
        for result in annotations.filter_map(|a| a.get("result").and_then(Value::as_array)).flatten() {
            let value = result.get("value").unwrap_or(&Value::Null);
            let (labels, place) = match (value.get("rectanglelabels"), value.get("choices")) {
                (Some(labels), _) => (
                    labels,
                    Place::Fractions(rect(value).ok_or_else(|| wrong("a rectangle without its sides"))?),
                ),
                (None, Some(choices)) => (choices, Place::Whole),
                (None, None) => continue,
            };
            for label in labels.as_array().into_iter().flatten().filter_map(Value::as_str) {
                gathered.add(path.clone(), None, label, place);
            }
        }
    }
    Ok(gathered.pictures)
}

/// The last part of an address such as `/data/upload/1/1a2b3c4d-van.jpg` or `/data/local-files/?d=photos/van.jpg`,
/// without what an upload was given if only that is there.
fn picture_of(file: &str, images: &Path, address: &str) -> Result<std::path::PathBuf> {
    let local = address.rsplit("?d=").next().unwrap_or(address);
    let name = local.split(['?', '#']).next().unwrap_or(local);
    let last = name.rsplit('/').next().unwrap_or(name);
    let path = picture(file, images, if local == address { last } else { name })?;
    let plain = last
        .split_at_checked(UPLOAD)
        .filter(|(head, tail)| tail.starts_with('-') && head.bytes().all(|digit| digit.is_ascii_hexdigit()));
    match plain.and_then(|(_, tail)| tail.get(1..)).filter(|_| !path.exists()) {
        Some(plain) if images.join(plain).exists() => picture(file, images, plain),
        _ => Ok(path),
    }
}

fn rect(value: &Value) -> Option<Rect> {
    let number = |key: &str| Some(value.get(key)?.as_f64()? as f32 / 100.0);
    let (x, y, w, h) = (number("x")?, number("y")?, number("width")?, number("height")?);
    Some(Rect { x0: x, y0: y, x1: x + w, y1: y + h })
}
