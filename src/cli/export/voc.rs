//! Pascal VOC.

use super::super::room::Room;
use super::snapshots::{Named, Snapshot, Snapshots};
use crate::error::Result;

/// A file of XML and a picture for each snapshot.
pub(super) fn write(room: &Room<'_>, snapshots: &Snapshots) -> Result<()> {
    room.copy("JPEGImages", snapshots.pictures())?;
    let file = |snapshot: &Snapshot| Ok((format!("{}.xml", snapshot.stem()), xml(snapshot).into_bytes()));
    room.write("Annotations", snapshots.list.iter().map(file))
}

fn xml(snapshot: &Snapshot) -> String {
    let objects: String = snapshot.boxes.iter().map(|named| object(named, snapshot)).collect();
    let (name, width, height) = (escaped(&snapshot.file_name()), snapshot.width, snapshot.height);
    format!(
        "<annotation>\n  <folder>JPEGImages</folder>\n  <filename>{name}</filename>\n  <size><width>{width}</width>\
         <height>{height}</height><depth>3</depth></size>\n{objects}</annotation>\n"
    )
}

/// Pixels count from 1, and the last is inside.
fn object(named: &Named, snapshot: &Snapshot) -> String {
    let [x0, y0, x1, y1] = named.rect;
    let edge = |value: f64, most: u32| (value.round() as u32).clamp(1, most.max(1));
    let (xmin, ymin) = (edge(x0 + 1.0, snapshot.width), edge(y0 + 1.0, snapshot.height));
    let (xmax, ymax) = (edge(x1, snapshot.width).max(xmin), edge(y1, snapshot.height).max(ymin));
    format!(
        "  <object><name>{}</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult><bndbox>\
         <xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox></object>\n",
        escaped(&named.label)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
