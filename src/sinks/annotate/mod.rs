//! Boxes, labels, tags, zones and lines drawn onto a picture with embedded-graphics.

mod canvas;
mod colour;
mod label;
mod layout;
mod outline;
mod painter;
mod scale;
mod scene;
mod trail;

pub use self::painter::Painter;

use self::canvas::Canvas;
use self::colour::Palette;
use self::scene::{Mark, Scene};
use super::Report;

/// Draws what `report` says onto its picture: `rgb` holds `width · height` pixels of three bytes. Lines and text grow
/// with the picture. A name has the same colour in every picture as long as the vocabulary stays.
pub fn annotate(rgb: &mut [u8], report: &Report<'_>) {
    let mut palette = Palette::default();
    let colours: Vec<_> = report.names.iter().map(|name| palette.colour(name)).collect();
    let marks = report.detections.iter().map(|detection| Mark {
        rect: detection.rect,
        name: report.name(detection.label),
        suffix: format!(" {:.2}", detection.score),
        colour: colours.get(detection.label).copied().unwrap_or(scene::QUIET),
        dashed: false,
        trail: Vec::new(),
    });
    let scene = Scene {
        size: (report.width, report.height),
        marks: marks.collect(),
        tags: report.tags.iter().map(|tag| (report.name(tag.label), tag.score)).collect(),
        outlines: &[],
        clock: None,
    };
    let Ok(()) = scene.draw(&mut Canvas::new(rgb, report.width, report.height));
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
