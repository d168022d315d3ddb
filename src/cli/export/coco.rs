//! COCO's annotations.

use serde_json::{Value, json};

use super::snapshots::Snapshots;
use crate::error::{Error, Result};

/// Images, categories from 1, and boxes `[x, y, width, height]`.
pub(super) fn json(snapshots: &Snapshots) -> Result<Vec<u8>> {
    let (mut images, mut annotations) = (Vec::new(), Vec::<Value>::new());
    for (image, snapshot) in (1u64..).zip(&snapshots.list) {
        let (name, width, height) = (snapshot.file_name(), snapshot.width, snapshot.height);
        images.push(json!({ "id": image, "file_name": name, "width": width, "height": height }));
        for named in &snapshot.boxes {
            let [x0, y0, x1, y1] = named.rect;
            let (w, h) = (x1 - x0, y1 - y0);
            annotations.push(json!({
                "id": annotations.len() + 1,
                "image_id": image,
                "category_id": snapshots.class(&named.label) + 1,
                "bbox": [x0, y0, w, h],
                "area": w * h,
                "iscrowd": 0,
                "score": named.score,
            }));
        }
    }
    let categories: Vec<Value> =
        (1u64..).zip(&snapshots.names).map(|(id, name)| json!({ "id": id, "name": name })).collect();
    let content = json!({
        "info": { "description": "Snapshots of edgeclip" },
        "images": images,
        "categories": categories,
        "annotations": annotations,
    });
    serde_json::to_vec(&content).map_err(|error| Error::bug(error.to_string()))
}
