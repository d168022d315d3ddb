//! Boxes, labels and tags drawn onto a picture with embedded-graphics.

mod canvas;
mod colour;
mod label;
mod layout;
mod scale;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyleBuilder, Rectangle, StrokeAlignment};

use self::canvas::Canvas;
use self::colour::{contrasting, label_colours};
use self::label::{draw_label, label_size, shortened};
use self::layout::Layout;
use self::scale::Scale;
use super::Report;
use crate::geometry::Rect;

/// Background of the line of tags.
const TAGS: Rgb888 = Rgb888::new(24, 24, 24);
/// A label may be as wide as its box or this part of the picture's width, whichever is more.
const LABEL_WIDTH: f32 = 0.45;

/// Draws what `report` says onto its picture: `rgb` holds `width · height` pixels of three bytes. Lines and text grow
/// with the picture. A name has the same colour in every picture as long as the vocabulary stays.
pub fn annotate(rgb: &mut [u8], report: &Report<'_>) {
    let mut canvas = Canvas::new(rgb, report.width, report.height);
    let Ok(()) = draw(&mut canvas, report);
}

fn draw<D: DrawTarget<Color = Rgb888>>(target: &mut D, report: &Report<'_>) -> Result<(), D::Error> {
    let picture = target.bounding_box();
    let scale = Scale::of(picture.size);
    let colours = label_colours(report.names);
    let colour = |label: usize| colours.get(label).copied().unwrap_or(TAGS);

    // The best detections are drawn last and placed first.
    for detection in report.detections.iter().rev() {
        draw_box(target, pixels(&detection.rect, picture), &scale, colour(detection.label))?;
    }
    let mut layout = Layout::new(picture);
    if let Some(text) = tags_line(report, &scale, picture.size.width) {
        let size = label_size(&text, &scale);
        let area = layout.place_tags(size);
        draw_label(target, area, &text, &scale, TAGS)?;
    }
    let mut plates = Vec::new();
    for detection in report.detections {
        let around = pixels(&detection.rect, picture);
        let widest =
            around.size.width.max((picture.size.width as f32 * LABEL_WIDTH) as u32).min(picture.size.width);
        let score = format!(" {:.2}", detection.score);
        let text = shortened(report.name(detection.label), &score, scale.columns(widest));
        plates.push((layout.place(label_size(&text, &scale), around), text, colour(detection.label)));
    }
    for (area, text, colour) in plates.iter().rev() {
        draw_label(target, *area, text, &scale, *colour)?;
    }
    Ok(())
}

/// The outline of `area` with a thin contrasting edge inside, which keeps it visible on any background.
fn draw_box<D: DrawTarget<Color = Rgb888>>(
    target: &mut D,
    area: Rectangle,
    scale: &Scale,
    colour: Rgb888,
) -> Result<(), D::Error> {
    for (width, colour) in [(scale.line + scale.edge, contrasting(colour)), (scale.line, colour)] {
        let style = PrimitiveStyleBuilder::new()
            .stroke_color(colour)
            .stroke_width(width)
            .stroke_alignment(StrokeAlignment::Inside)
            .build();
        area.into_styled(style).draw(target)?;
    }
    Ok(())
}

/// As many tags as fit into one line; `None` if there are none.
fn tags_line(report: &Report<'_>, scale: &Scale, width: u32) -> Option<String> {
    let columns = scale.columns(width);
    let mut line = String::new();
    for tag in report.tags {
        let (name, score) = (report.name(tag.label), format!(" {:.2}", tag.score));
        let separator = if line.is_empty() { "" } else { ", " };
        let used = line.chars().count() + separator.len();
        let whole = name.chars().count() + score.len();
        if line.is_empty() {
            line = shortened(name, &score, columns);
        } else if used + whole <= columns {
            line = format!("{line}{separator}{name}{score}");
        } else {
            break;
        }
    }
    (!line.is_empty()).then_some(line)
}

/// The whole pixels that `rect` touches inside `picture`.
fn pixels(rect: &Rect, picture: Rectangle) -> Rectangle {
    let (x0, y0) = (rect.x0.floor() as i32, rect.y0.floor() as i32);
    let (x1, y1) = (rect.x1.ceil() as i32, rect.y1.ceil() as i32);
    let size = Size::new(x1.saturating_sub(x0).max(1) as u32, y1.saturating_sub(y0).max(1) as u32);
    Rectangle::new(Point::new(x0, y0), size).intersection(&picture)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
