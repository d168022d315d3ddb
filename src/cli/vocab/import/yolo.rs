//! YOLO's data sets: `data.yaml` with names and folders, and beside each folder `images` one of `labels`, a line
//! `class cx cy w h` in fractions for each box.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::shown::{Asked, Place, Shown, Thing};
use super::gathered::{pictures_of, text};
use crate::error::{Error, Result};
use crate::geometry::Rect;

/// What `data.yaml` says: a small part of YAML is enough for it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Data {
    path: Option<String>,
    folders: Vec<String>,
    names: Vec<String>,
}

/// # Errors
/// [`Error::Input`] if a file cannot be read.
pub(super) fn read(file: &Path) -> Result<Vec<Asked>> {
    let shown = file.display().to_string();
    let data = parse(&shown, &text(file)?)?;
    let mut root = file.parent().unwrap_or(Path::new("")).to_owned();
    if let Some(path) = &data.path {
        // `path` is relative to where training was started, which may have been elsewhere.
        root = Some(root.join(path)).filter(|root| root.is_dir()).unwrap_or(root);
    }
    let mut asked = Vec::new();
    for folder in &data.folders {
        let folder = root.join(folder);
        for picture in pictures_of(&folder) {
            let shown = picture.and_then(|path| {
                let things = labels(&path, &data.names)?;
                Ok(Shown { path, size: None, things })
            });
            if !matches!(&shown, Ok(shown) if shown.things.is_empty()) {
                asked.push(shown);
            }
        }
    }
    Ok(asked)
}

/// The boxes of a picture; none where it has no file of labels.
fn labels(picture: &Path, names: &[String]) -> Result<Vec<Thing>> {
    let file = label_file(picture);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let lines = text(&file)?;
    let lines = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| thing(&format!("{}, line {}", file.display(), number + 1), line, names))
        .collect()
}

/// `class cx cy w h`, or a polygon `class x y x y …`.
pub(super) fn thing(place: &str, line: &str, names: &[String]) -> Result<Thing> {
    let wrong = |found: &str| Error::input(place, found, "CLASS CX CY W H in fractions of the picture");
    let mut words = line.split_whitespace();
    let class: usize = words.next().and_then(|word| word.parse().ok()).ok_or_else(|| wrong(line))?;
    let name = names.get(class);
    let name = name.ok_or_else(|| {
        Error::input(place, format!("class {class}"), format!("0 to {}", names.len().saturating_sub(1)))
    })?;
    let numbers = words.map(str::parse).collect::<std::result::Result<Vec<f32>, _>>();
    let numbers = numbers.map_err(|_| wrong(line))?;
    let rect = match numbers[..] {
        [cx, cy, w, h] | [cx, cy, w, h, _] => {
            Rect { x0: cx - w / 2.0, y0: cy - h / 2.0, x1: cx + w / 2.0, y1: cy + h / 2.0 }
        }
        _ if numbers.len() >= 6 && numbers.len().is_multiple_of(2) => {
            let edge = |from: usize, start: f32, choose: fn(f32, f32) -> f32| {
                numbers.iter().skip(from).step_by(2).copied().fold(start, choose)
            };
            Rect {
                x0: edge(0, f32::INFINITY, f32::min),
                y0: edge(1, f32::INFINITY, f32::min),
                x1: edge(0, f32::NEG_INFINITY, f32::max),
                y1: edge(1, f32::NEG_INFINITY, f32::max),
            }
        }
        _ => return Err(wrong(line)),
    };
    Ok(Thing { name: name.clone(), place: Place::Fractions(rect) })
}

/// `…/images/train/a.jpg` → `…/labels/train/a.txt`: the last folder of that name, else the picture's own.
fn label_file(picture: &Path) -> PathBuf {
    let mut parts: Vec<_> = picture.iter().map(ToOwned::to_owned).collect();
    if let Some(folder) = parts.iter().rposition(|part| part == "images").and_then(|at| parts.get_mut(at)) {
        *folder = "labels".into();
    }
    let other: PathBuf = parts.iter().collect();
    let other = other.with_extension("txt");
    if fs::metadata(&other).is_ok() { other } else { picture.with_extension("txt") }
}

/// `path`, `train`, `val`, `test` and `names`, the last as a list in brackets, a list of lines or numbered lines.
pub(super) fn parse(file: &str, text: &str) -> Result<Data> {
    let mut data = Data::default();
    let mut key = String::new();
    let mut numbered: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        let bare = line.split(" #").next().unwrap_or(line);
        if bare.trim().is_empty() || bare.starts_with('#') {
            continue;
        }
        let indented = bare.starts_with([' ', '\t']) || bare.trim_start().starts_with("- ");
        if !indented {
            let Some((name, value)) = bare.split_once(':') else { continue };
            key = name.trim().to_owned();
            let value = value.trim();
            match key.as_str() {
                "path" => data.path = Some(unquoted(value)).filter(|path| !path.is_empty()),
                "train" | "val" | "test" => data.folders.extend(items(value)),
                "names" => data.names.extend(items(value)),
                _ => {}
            }
            continue;
        }
        let item = bare.trim();
        match (key.as_str(), item.strip_prefix("- ")) {
            ("names", Some(name)) => data.names.push(unquoted(name)),
            ("names", None) => {
                if let Some((number, name)) = item.split_once(':')
                    && let Ok(number) = number.trim().parse()
                {
                    numbered.push((number, unquoted(name.trim())));
                }
            }
            ("train" | "val" | "test", Some(folder)) => data.folders.push(unquoted(folder)),
            _ => {}
        }
    }
    numbered.sort();
    if numbered.iter().enumerate().any(|(at, (number, _))| at != *number) {
        return Err(Error::input(file, "names with gaps between their numbers", "0, 1, 2 and so on"));
    }
    data.names.extend(numbered.into_iter().map(|(_, name)| name));
    data.folders.retain(|folder| !folder.is_empty());
    if data.names.is_empty() || data.folders.is_empty() {
        let found = if data.names.is_empty() { "no names" } else { "no train, val or test" };
        return Err(Error::input(file, found, "data.yaml with names, and folders under train, val or test"));
    }
    Ok(data)
}

/// `[a, 'b']`, or one value.
fn items(value: &str) -> Vec<String> {
    match value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(list) => {
            list.split(',').map(|item| unquoted(item.trim())).filter(|item| !item.is_empty()).collect()
        }
        None if value.is_empty() => Vec::new(),
        None => vec![unquoted(value)],
    }
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text).to_owned()
}
