//! Boxes, labels, tags, zones and lines drawn onto a picture with embedded-graphics.

mod arabic;
mod canvas;
mod characters;
mod colour;
mod font;
mod label;
mod layout;
mod outline;
mod painter;
mod scale;
mod scene;
mod script;
mod trail;

pub use self::painter::Painter;

use self::canvas::Canvas;
use self::colour::Palette;
use self::scene::{Mark, Scene};
use crate::report::PictureReport;

/// Draws `report` onto its picture: `rgb` holds `width · height` pixels of three bytes. Lines and text grow
/// with the picture. A name has the same colour in every picture as long as the vocabulary stays the same.
pub(crate) fn annotate(rgb: &mut [u8], report: &PictureReport<'_>) {
    let mut palette = Palette::default();
    for name in report.names {
        palette.colour(name);
    }
    let marks = report.findings.detections.iter().map(|detection| Mark {
        rect: detection.rect,
        name: &detection.label,
        suffix: format!(" {:.2}", detection.score),
        colour: palette.colour(&detection.label),
        dashed: false,
        trail: Vec::new(),
    });
    let scene = Scene {
        size: (report.width, report.height),
        marks: marks.collect(),
        tags: report.findings.tags.iter().map(|tag| (&*tag.label, tag.score)).collect(),
        crops: &[],
        outlines: &[],
        clock: None,
    };
    let Ok(()) = scene.draw(&mut Canvas::new(rgb, report.width, report.height));
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
