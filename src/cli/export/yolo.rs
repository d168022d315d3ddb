//! YOLO's data sets, as Ultralytics reads them.

use super::super::room::Room;
use super::snapshots::{Named, Snapshot, Snapshots};
use crate::error::Result;

/// `data.yaml`, pictures, and a file `class cx cy w h` for each.
pub(super) fn write(room: &Room<'_>, snapshots: &Snapshots) -> Result<()> {
    room.copy("images/train", snapshots.pictures())?;
    let labels = |snapshot: &Snapshot| {
        let (width, height) = (f64::from(snapshot.width), f64::from(snapshot.height));
        let line = |named: &Named| {
            let [x0, y0, x1, y1] = named.rect;
            let (cx, cy) = ((x0 + x1) / 2.0 / width, (y0 + y1) / 2.0 / height);
            let (w, h) = ((x1 - x0) / width, (y1 - y0) / height);
            format!("{} {cx:.6} {cy:.6} {w:.6} {h:.6}\n", snapshots.class(&named.label))
        };
        let lines: String = snapshot.boxes.iter().map(line).collect();
        Ok((format!("{}.txt", snapshot.stem()), lines.into_bytes()))
    };
    room.write("labels/train", snapshots.list.iter().map(labels))?;
    // In JSON, which YAML reads, a name may hold anything.
    let name =
        |(class, name): (usize, &String)| format!("  {class}: {}\n", serde_json::Value::from(name.as_str()));
    let names: String = snapshots.names.iter().enumerate().map(name).collect();
    let yaml = format!("train: images/train\nval: images/train\nnames:\n{names}");
    room.write("", std::iter::once(Ok(("data.yaml".to_owned(), yaml.into_bytes()))))
}
