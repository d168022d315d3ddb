//! Boxes that the user gives: a JSON object from a picture's path to `[x0, y0, x1, y1]` lists in its pixels.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::pipeline::clipped;
use crate::system::read_within;

/// Most bytes of a boxes file: a million boxes.
const LONGEST: u64 = 64 << 20;

/// The content of a boxes file.
pub(crate) struct Boxes {
    file: String,
    by_path: BTreeMap<String, Vec<[Option<f32>; 4]>>,
}

impl Boxes {
    /// Reads `file`. Each of its paths must be one of `pictures`, spelt the same way.
    ///
    /// # Errors
    /// [`Error::Settings`] if it cannot be read, is malformed or names other pictures.
    pub(crate) fn open(file: &Path, pictures: &[Result<PathBuf>]) -> Result<Self> {
        let name = file.display().to_string();
        let wrong = |error: String| {
            Error::settings(&name, error, "a JSON object {\"a.jpg\": [[x0, y0, x1, y1], …], …}")
        };
        let bytes = read_within(file, LONGEST).map_err(|error| wrong(error.to_string()))?;
        let by_path: BTreeMap<String, Vec<[Option<f32>; 4]>> =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let given: Vec<String> = pictures.iter().flatten().map(|path| path.display().to_string()).collect();
        let unknown = by_path.keys().find(|path| !given.contains(path));
        if let Some(path) = unknown.filter(|_| pictures.iter().all(Result::is_ok)) {
            return Err(Error::settings(
                name,
                format!("boxes of {path}"),
                "boxes of the pictures of this call only",
            ));
        }
        Ok(Self { file: name, by_path })
    }

    /// The boxes of the picture `path` of `width` × `height` pixels, in the order given, clipped to the
    /// picture.
    ///
    /// # Errors
    /// [`Error::Settings`] naming the box if it is inverted, empty, outside the picture, or has a value that
    /// is not finite.
    pub(crate) fn of(&self, path: &str, width: u32, height: u32) -> Result<Vec<Rect>> {
        let check = |(index, values): (usize, &[Option<f32>; 4])| {
            let [x0, y0, x1, y1] = values.map(|v| v.unwrap_or(f32::NAN));
            let rect = Rect { x0, y0, x1, y1 };
            clipped(&format!("{}, {path}, box {index}", self.file), rect, width, height)
        };
        self.by_path.get(path).into_iter().flatten().enumerate().map(check).collect()
    }
}

/// A box of a flag: `x0,y0,x1,y1` in pixels.
pub(crate) fn corners(text: &str) -> std::result::Result<Rect, String> {
    let numbers: Vec<f32> = text.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    match numbers[..] {
        [x0, y0, x1, y1] if text.split(',').count() == 4 => Ok(Rect { x0, y0, x1, y1 }),
        _ => Err("expected X0,Y0,X1,Y1 in pixels, for example 10,20,300,200".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes(json: &str) -> Result<Boxes> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("boxes.json");
        std::fs::write(&file, json).unwrap();
        Boxes::open(&file, &[Ok("a.jpg".into())])
    }

    fn error(json: &str) -> String {
        boxes(json).and_then(|boxes| boxes.of("a.jpg", 100, 50)).unwrap_err().to_string()
    }

    #[test]
    fn boxes_keep_their_order_and_are_clipped() {
        let found =
            boxes(r#"{"a.jpg": [[50, 10, 200.5, 20], [0, 0, 1, 1]]}"#).unwrap().of("a.jpg", 100, 50).unwrap();
        let expected =
            [Rect { x0: 50.0, y0: 10.0, x1: 100.0, y1: 20.0 }, Rect { x0: 0.0, y0: 0.0, x1: 1.0, y1: 1.0 }];
        assert_eq!(found, expected);
        assert!(boxes("{}").unwrap().of("a.jpg", 100, 50).unwrap().is_empty());
    }

    #[test]
    fn unusable_boxes_are_named() {
        for bad in [
            "[5, 5, 4, 9]",
            "[5, 5, 9, 5]",
            "[100, 0, 120, 9]",
            "[-9, 0, -1, 9]",
            "[1, 2, null, 4]",
            "[0,0,1e99,1]",
        ] {
            let message = error(&format!(r#"{{"a.jpg": [[0, 0, 1, 1], {bad}]}}"#));
            assert!(message.contains("a.jpg, box 1: found ["), "{message}");
            assert!(message.contains("inside 100x50 pixels"), "{message}");
        }
    }

    #[test]
    fn other_forms_are_errors() {
        for bad in ["", "[]", r#"{"a.jpg": [[1, 2, 3]]}"#, r#"{"a.jpg": [1, 2, 3, 4]}"#] {
            assert!(error(bad).contains("expected a JSON object"), "{bad}");
        }
        assert!(error(r#"{"b.jpg": []}"#).contains("found boxes of b.jpg"));
    }
}
