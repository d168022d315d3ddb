//! Label Studio's tasks, with predictions to begin with.

use serde_json::{Value, json};

use super::snapshots::{Snapshot, Snapshots};
use crate::error::{Error, Result};

/// One task a picture; rectangles in per cent of it. Pictures are named as local files of a storage whose folder
/// is that of the snapshots.
pub(super) fn json(snapshots: &Snapshots) -> Result<Vec<u8>> {
    let task = |snapshot: &Snapshot| {
        let (width, height) = (f64::from(snapshot.width), f64::from(snapshot.height));
        let results = snapshot.boxes.iter().enumerate().map(|(index, named)| {
            let [x0, y0, x1, y1] = named.rect;
            json!({
                "id": format!("{index}"),
                "type": "rectanglelabels",
                "from_name": "label",
                "to_name": "image",
                "original_width": snapshot.width,
                "original_height": snapshot.height,
                "image_rotation": 0,
                "score": named.score,
                "value": {
                    "x": 100.0 * x0 / width,
                    "y": 100.0 * y0 / height,
                    "width": 100.0 * (x1 - x0) / width,
                    "height": 100.0 * (y1 - y0) / height,
                    "rotation": 0,
                    "rectanglelabels": [named.label],
                },
            })
        });
        let lowest = snapshot.boxes.iter().map(|named| named.score).fold(1.0, f64::min);
        json!({
            "data": { "image": format!("/data/local-files/?d={}", snapshot.file_name()) },
            "predictions": [{
                "model_version": "edgeclip",
                "score": lowest,
                "result": results.collect::<Vec<Value>>(),
            }],
        })
    };
    let tasks: Vec<Value> = snapshots.list.iter().map(task).collect();
    serde_json::to_vec(&tasks).map_err(|error| Error::bug(error.to_string()))
}
