//! What is drawn, for still pictures and live sources alike.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyleBuilder, Rectangle, StrokeAlignment};

use super::colour::{QUIET, contrasting};
use super::label::{draw_label, label_size, shortened};
use super::layout::Layout;
use super::outline::{caption, draw_outline, point};
use super::scale::Scale;
use super::script::columns;
use super::trail::{Step, draw_trail};
use crate::events::Outline;
use crate::geometry::Rect;

/// A label may be as wide as its box or this share of the picture's width, whichever is more.
const LABEL_WIDTH: f32 = 0.45;

/// Everything drawn onto a picture.
pub(crate) struct Scene<'a> {
    /// Size of the picture whose pixels boxes are given in.
    pub size: (u32, u32),
    /// Most important first: it is drawn last and its label placed first.
    pub marks: Vec<Mark<'a>>,
    /// Names with scores, best first.
    pub tags: Vec<(&'a str, f32)>,
    /// Parts that were looked at closely.
    pub crops: &'a [Rect],
    /// Zones and lines.
    pub outlines: &'a [Outline],
    /// Time and source; left out of pictures with few rows.
    pub clock: Option<String>,
}

/// A box with its label.
pub(crate) struct Mark<'a> {
    /// In pixels of the picture.
    pub rect: Rect,
    /// Cut if it is too long.
    pub name: &'a str,
    /// Follows the name and is never cut.
    pub suffix: String,
    /// Of box and label.
    pub colour: Rgb888,
    /// Whether the box is a guess.
    pub dashed: bool,
    /// Its recent path, oldest point first.
    pub trail: Vec<Step>,
}

impl Scene<'_> {
    /// Draws everything, scaled so that the picture fills `target`. What stands still is placed before what
    /// moves.
    pub(crate) fn draw<D: DrawTarget<Color = Rgb888>>(&self, target: &mut D) -> Result<(), D::Error> {
        let picture = target.bounding_box();
        let scale = Scale::of(picture.size);
        let mut layout = Layout::new(picture);
        for outline in self.outlines {
            draw_outline(target, outline, picture, &scale)?;
        }
        for crop in self.crops {
            draw_corners(target, self.pixels(crop, picture), &scale)?;
        }
        for mark in self.marks.iter().rev() {
            draw_trail(target, &mark.trail, mark.colour, picture, &scale)?;
        }
        for mark in self.marks.iter().rev() {
            draw_box(target, self.pixels(&mark.rect, picture), &scale, mark)?;
        }
        let columns = |text: &str| scale.columns(picture.size.width, text);
        let tags: String = self.tags.iter().map(|(name, _)| *name).collect();
        let mut plates = Vec::new();
        if let Some(text) = self.tags_line(columns(&tags)) {
            plates.push((layout.place_tags(label_size(&text, &scale)), text, QUIET));
        }
        let has_room = picture.size.height >= 6 * scale.cell().height;
        if let Some(clock) = self.clock.as_ref().filter(|_| has_room) {
            let text = shortened(clock, "", columns(clock));
            plates.push((layout.place_clock(label_size(&text, &scale)), text, QUIET));
        }
        for outline in self.outlines {
            let caption = caption(outline);
            let text = shortened(&caption, "", columns(&caption));
            let corners = outline.points.iter().map(|corner| point(*corner, picture));
            plates.push((layout.place_at(label_size(&text, &scale), corners), text, QUIET));
        }
        for mark in &self.marks {
            let around = self.pixels(&mark.rect, picture);
            let widest = around
                .size
                .width
                .max((picture.size.width as f32 * LABEL_WIDTH) as u32)
                .min(picture.size.width);
            let text = shortened(mark.name, &mark.suffix, scale.columns(widest, mark.name));
            plates.push((layout.place(label_size(&text, &scale), around), text, mark.colour));
        }
        for (area, text, colour) in plates.iter().rev() {
            draw_label(target, *area, text, &scale, *colour)?;
        }
        Ok(())
    }

    /// As many tags as fit into one line of so many characters; `None` if there are none.
    fn tags_line(&self, most: usize) -> Option<String> {
        let length = |text: &str| text.chars().map(columns).sum::<usize>();
        let mut line = String::new();
        for (name, score) in &self.tags {
            let score = format!(" {score:.2}");
            let separator = if line.is_empty() { "" } else { ", " };
            let used = length(&line) + separator.len();
            let whole = length(name) + score.len();
            if line.is_empty() {
                line = shortened(name, &score, most);
            } else if used + whole <= most {
                line = format!("{line}{separator}{}", shortened(name, &score, whole));
            } else {
                break;
            }
        }
        (!line.is_empty()).then_some(line)
    }

    /// The whole pixels of the target that `rect` touches inside `picture`.
    fn pixels(&self, rect: &Rect, picture: Rectangle) -> Rectangle {
        let across = picture.size.width as f32 / self.size.0 as f32;
        let down = picture.size.height as f32 / self.size.1 as f32;
        let (x0, y0) = ((rect.x0 * across).floor() as i32, (rect.y0 * down).floor() as i32);
        let (x1, y1) = ((rect.x1 * across).ceil() as i32, (rect.y1 * down).ceil() as i32);
        let size = Size::new(x1.saturating_sub(x0).max(1) as u32, y1.saturating_sub(y0).max(1) as u32);
        let whole = Rectangle::new(Point::zero(), picture.size);
        Rectangle::new(Point::new(x0, y0), size).intersection(&whole).translate(picture.top_left)
    }
}

/// The outline of `area`, with a thin contrasting edge inside that keeps it visible on any background.
fn draw_box<D: DrawTarget<Color = Rgb888>>(
    target: &mut D,
    area: Rectangle,
    scale: &Scale,
    mark: &Mark<'_>,
) -> Result<(), D::Error> {
    for (width, colour) in [(scale.line + scale.edge, contrasting(mark.colour)), (scale.line, mark.colour)] {
        if mark.dashed {
            dashes(area, width, scale).try_for_each(|dash| target.fill_solid(&dash, colour))?;
            continue;
        }
        let style = PrimitiveStyleBuilder::new()
            .stroke_color(colour)
            .stroke_width(width)
            .stroke_alignment(StrokeAlignment::Inside)
            .build();
        area.into_styled(style).draw(target)?;
    }
    Ok(())
}

/// The corners of a part that was looked at closely.
fn draw_corners<D: DrawTarget<Color = Rgb888>>(
    target: &mut D,
    area: Rectangle,
    scale: &Scale,
) -> Result<(), D::Error> {
    let Some(Point { x: right, y: bottom }) = area.bottom_right() else { return Ok(()) };
    let Point { x: left, y: top } = area.top_left;
    let long = 8 * scale.line;
    for (width, colour) in [(scale.line + scale.edge, contrasting(QUIET)), (scale.line, QUIET)] {
        let thick = width as i32 - 1;
        for (x, y) in [(left, top), (right, top), (left, bottom), (right, bottom)] {
            let inside =
                |at: i32, first: i32, length: u32| if at == first { at } else { at - length as i32 + 1 };
            let across = Rectangle::new(
                Point::new(inside(x, left, long), if y == top { y } else { y - thick }),
                Size::new(long, width),
            );
            let down = Rectangle::new(
                Point::new(if x == left { x } else { x - thick }, inside(y, top, long)),
                Size::new(width, long),
            );
            for side in [across, down] {
                target.fill_solid(&side.intersection(&area), colour)?;
            }
        }
    }
    Ok(())
}

/// Dashes along the inside of `area`, of the given width.
fn dashes(area: Rectangle, width: u32, scale: &Scale) -> impl Iterator<Item = Rectangle> {
    let (dash, step) = (4 * scale.line, 7 * scale.line);
    let Size { width: w, height: h } = area.size;
    let starts = |side: u32| (0..side).step_by(step.max(1) as usize);
    let at = move |x: u32, y: u32, w: u32, h: u32| {
        Rectangle::new(area.top_left + Point::new(x as i32, y as i32), Size::new(w, h))
    };
    let rows = starts(w)
        .flat_map(move |x| [0, h.saturating_sub(width)].map(|y| at(x, y, dash.min(w - x), width.min(h))));
    let columns = starts(h)
        .flat_map(move |y| [0, w.saturating_sub(width)].map(|x| at(x, y, width.min(w), dash.min(h - y))));
    rows.chain(columns)
}
