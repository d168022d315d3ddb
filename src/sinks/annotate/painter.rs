//! Moments of live sources, drawn onto any display or picture.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

use super::canvas::Canvas;
use super::colour::Palette;
use super::scene::{Mark, Scene};
use crate::sinks::clock::utc;
use crate::sinks::fit::{Scaled, fit};
use crate::sinks::{Moment, Things};

/// Draws moments: boxes in colours by name, dashed where a thing was not seen when the network last looked, zones and lines
/// with names and states, tags, and a line with time and source.
#[derive(Debug, Clone)]
pub struct Painter {
    things: Things,
    palette: Palette,
    /// Tracks that were not seen when the network last looked.
    unseen: Vec<u64>,
}

impl Painter {
    /// Shows these things.
    pub fn new(things: Things) -> Self {
        Self { things, palette: Palette::default(), unseen: Vec::new() }
    }

    /// Draws `moment` onto a display: its picture, if it has one, scaled to fit with black around it, and on top of it all else
    /// in the display's own resolution. Without a picture, what the display shows stays.
    ///
    /// # Errors
    /// Those of `target`.
    pub fn draw<D>(&mut self, target: &mut D, moment: &Moment) -> Result<(), D::Error>
    where
        D: DrawTarget,
        D::Color: From<Rgb888>,
    {
        let screen = target.bounding_box();
        let area = fit((moment.width, moment.height), (screen.size.width, screen.size.height));
        let size = Size::new(area.width, area.height);
        let corner = screen.top_left + Point::new(area.x as i32, area.y as i32);
        let area = Rectangle::new(corner, size);
        if let Some(picture) = &moment.picture {
            for bar in bars(screen, area) {
                target.fill_solid(&bar, Rgb888::BLACK.into())?;
            }
            let scaled = Scaled::new(picture, size.width, size.height);
            let row = |y| {
                let mut row = vec![0; size.width as usize * 3];
                scaled.row(y, &mut row);
                let pixels: Vec<[u8; 3]> = row.as_chunks().0.to_vec();
                pixels.into_iter().map(|[r, g, b]| Rgb888::new(r, g, b).into())
            };
            target.fill_contiguous(&area, (0..size.height).flat_map(row))?;
        }
        let mut view = target.cropped(&area);
        self.scene(moment).draw(&mut view.color_converted::<Rgb888>())
    }

    /// Draws `moment` without its picture onto `rgb`, a copy of that picture in its own or another size: `width · height`
    /// pixels of three bytes.
    pub fn annotate(&mut self, rgb: &mut [u8], width: u32, height: u32, moment: &Moment) {
        let Ok(()) = self.scene(moment).draw(&mut Canvas::new(rgb, width, height));
    }

    /// Takes note of a moment that is not drawn.
    pub(in crate::sinks) fn follow(&mut self, moment: &Moment) {
        if moment.looked() {
            self.unseen.clear();
            self.unseen.extend(moment.tracks.iter().filter(|track| !track.seen).map(|track| track.id));
        }
    }

    fn scene<'a>(&mut self, moment: &'a Moment) -> Scene<'a> {
        self.follow(moment);
        let marks = match self.things {
            Things::Tracks => moment
                .tracks
                .iter()
                .map(|track| Mark {
                    rect: track.rect,
                    name: &track.label,
                    suffix: format!(" #{} {:.2}", track.id, track.score),
                    colour: self.palette.colour(&track.label),
                    dashed: self.unseen.contains(&track.id),
                })
                .collect(),
            Things::Detections => moment
                .detections
                .iter()
                .filter_map(|named| {
                    let (rect, colour) = (named.rect?, self.palette.colour(&named.label));
                    Some(Mark {
                        rect,
                        name: &named.label,
                        suffix: format!(" {:.2}", named.score),
                        colour,
                        dashed: false,
                    })
                })
                .collect(),
        };
        Scene {
            size: (moment.width, moment.height),
            marks,
            tags: moment.tags.iter().map(|tag| (&*tag.label, tag.score)).collect(),
            outlines: &moment.outlines,
            clock: Some(clock(moment)),
        }
    }
}

/// `2026-11-22 06:00:00Z /dev/video0`
fn clock(moment: &Moment) -> String {
    let time = utc(moment.time);
    let (date, rest) = time.split_once('T').unwrap_or_default();
    let second = rest.split('.').next().unwrap_or_default();
    format!("{date} {second}Z {}", moment.source)
}

/// What of `screen` is not `area`: above, below, left and right.
fn bars(screen: Rectangle, area: Rectangle) -> [Rectangle; 4] {
    let between = |x0: i32, y0: i32, x1: i32, y1: i32| {
        Rectangle::new(Point::new(x0, y0), Size::new((x1 - x0).max(0) as u32, (y1 - y0).max(0) as u32))
    };
    let (Point { x: left, y: top }, end) = (screen.top_left, screen.top_left + screen.size);
    let (Point { x: x0, y: y0 }, Point { x: x1, y: y1 }) = (area.top_left, area.top_left + area.size);
    [
        between(left, top, end.x, y0),
        between(left, y1, end.x, end.y),
        between(left, y0, x0, y1),
        between(x1, y0, end.x, y1),
    ]
}

#[cfg(test)]
#[path = "painter_tests.rs"]
mod tests;
