//! Results of still pictures as other tools read them.

use std::io::{Result, Write};

use serde_json::{Value, json};

use super::json::write_line;
use crate::geometry::Rect;
use crate::report::{PictureReport, rounded};

/// Writes one picture's boxes as Roboflow's inference answers, on one line: centre and size in pixels.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_roboflow(out: &mut impl Write, report: &PictureReport<'_>) -> Result<()> {
    let boxes = report.findings.detections.iter().map(|detection| {
        let Rect { x0, y0, x1, y1 } = detection.rect;
        json!({
            "x": rounded((x0 + x1) / 2.0, 1),
            "y": rounded((y0 + y1) / 2.0, 1),
            "width": rounded(x1 - x0, 1),
            "height": rounded(y1 - y0, 1),
            "confidence": rounded(detection.score, 4),
            "class": &*detection.label,
            "class_id": class(report, &detection.label),
        })
    });
    let line = json!({
        "image": { "width": report.width, "height": report.height },
        "predictions": boxes.collect::<Vec<_>>(),
        "path": report.path,
        "time": rounded(report.findings.timing.total().as_secs_f32(), 6),
    });
    write_line(out, &line)
}

/// The boxes of one picture as YOLO's labels: a line `class cx cy w h confidence` each, in fractions of the picture.
pub(crate) fn yolo(report: &PictureReport<'_>) -> String {
    let (width, height) = (report.width as f32, report.height as f32);
    let lines = report.findings.detections.iter().map(|detection| {
        let Rect { x0, y0, x1, y1 } = detection.rect;
        let (cx, cy) = ((x0 + x1) / 2.0 / width, (y0 + y1) / 2.0 / height);
        let (w, h) = ((x1 - x0) / width, (y1 - y0) / height);
        let class = class(report, &detection.label);
        format!("{class} {cx:.6} {cy:.6} {w:.6} {h:.6} {:.4}\n", detection.score)
    });
    lines.collect()
}

/// Boxes of all pictures as one COCO document: images and categories count from 1.
#[derive(Debug, Default)]
pub(crate) struct Coco {
    images: Vec<Value>,
    annotations: Vec<Value>,
}

impl Coco {
    /// Adds a picture.
    pub(crate) fn add(&mut self, report: &PictureReport<'_>) {
        let image = self.images.len() + 1;
        let (width, height) = (report.width, report.height);
        self.images.push(json!({ "id": image, "file_name": report.path, "width": width, "height": height }));
        for detection in &report.findings.detections {
            let Rect { x0, y0, x1, y1 } = detection.rect;
            let (w, h) = (x1 - x0, y1 - y0);
            self.annotations.push(json!({
                "id": self.annotations.len() + 1,
                "image_id": image,
                "category_id": class(report, &detection.label) + 1,
                "bbox": [rounded(x0, 1), rounded(y0, 1), rounded(w, 1), rounded(h, 1)],
                "area": rounded(w * h, 1),
                "iscrowd": 0,
                "score": rounded(detection.score, 4),
            }));
        }
    }

    /// Writes the document; `names` are the categories.
    ///
    /// # Errors
    /// Those of `out`.
    pub(crate) fn write(&self, out: &mut impl Write, names: &[impl AsRef<str>]) -> Result<()> {
        let categories = (1u64..).zip(names).map(|(id, name)| json!({ "id": id, "name": name.as_ref() }));
        let document = json!({
            "info": { "description": "Found by edgeclip" },
            "images": self.images,
            "categories": categories.collect::<Vec<_>>(),
            "annotations": self.annotations,
        });
        write_line(out, &document)
    }
}

/// The name's place among those that are looked for.
fn class(report: &PictureReport<'_>, label: &str) -> usize {
    report.names.iter().position(|name| **name == *label).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_street;
    use super::*;

    #[test]
    fn formats_of_others_have_their_keys_and_units() {
        let (mut line, mut coco) = (Vec::new(), Coco::default());
        let mut labels = String::new();
        let mut names = Vec::new();
        with_street(|report| {
            write_roboflow(&mut line, &report).unwrap();
            coco.add(&report);
            labels = yolo(&report);
            names = report.names.to_vec();
        });
        let class = |label: &str| names.iter().position(|name| &**name == label).unwrap();
        let (bus, person) = (class("red bus"), class("person"));
        let line: Value = serde_json::from_slice(&line).unwrap();
        let first = json!({
            "x": 60.3, "y": 42.0, "width": 100.5, "height": 43.9, "confidence": 0.9, "class": "red bus", "class_id": bus,
        });
        assert_eq!((&line["predictions"][0], &line["image"]["width"]), (&first, &json!(640)));
        assert_eq!(
            labels.lines().nth(1).unwrap(),
            format!("{person} 0.003906 0.077813 0.007812 0.155625 0.3333")
        );
        let mut document = Vec::new();
        coco.write(&mut document, &names).unwrap();
        let document: Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(document["categories"][bus], json!({ "id": bus + 1, "name": "red bus" }));
        let second = json!({
            "id": 2, "image_id": 1, "category_id": person + 1, "bbox": [0.0, 0.0, 5.0, 10.0], "area": 49.8, "iscrowd": 0,
            "score": 0.3333,
        });
        assert_eq!((&document["annotations"][1], document["images"][0]["id"].as_u64()), (&second, Some(1)));
    }
}
