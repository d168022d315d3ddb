//! Reports of live sources, drawn onto any display or picture.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

use super::canvas::Canvas;
use super::colour::Palette;
use super::scene::{Mark, Scene};
use super::trail::Trail;
use crate::report::{FrameReport, ShownBoxes};
use crate::sinks::clock::utc;
use crate::sinks::fit::{Scaled, fit};
use crate::source::Picture;
use crate::track::Track;

/// Draws reports: boxes coloured by name, dashed if the track was not seen in the last look, the path of each
/// track over the last seconds, zones and lines with names and states, tags, and a line with time and source.
///
/// Displays are those of embedded-graphics 0.8: `examples/spi_display.rs`.
#[derive(Debug, Clone)]
pub struct Painter {
    things: ShownBoxes,
    trails: bool,
    palette: Palette,
    sources: HashMap<Arc<str>, Memory>,
}

/// What is known of a source's tracks.
#[derive(Debug, Clone, Default)]
struct Memory {
    /// Those that were not seen in the last look.
    unseen: Vec<u64>,
    trails: BTreeMap<u64, Trail>,
}

impl Painter {
    /// Draws these boxes, and the paths of tracks.
    pub fn new(things: ShownBoxes) -> Self {
        Self { things, trails: true, palette: Palette::default(), sources: HashMap::new() }
    }

    /// Whether the paths of tracks are drawn.
    #[must_use]
    pub fn with_trails(self, trails: bool) -> Self {
        Self { trails, ..self }
    }

    /// Draws `report` onto a display: its `picture`, scaled to fit with black around it, and on top everything
    /// else in the display's own resolution. Without a picture, the display keeps what it shows.
    ///
    /// # Errors
    /// Those of `target`.
    pub fn draw<D>(
        &mut self,
        target: &mut D,
        report: &FrameReport,
        picture: Option<&Picture>,
    ) -> Result<(), D::Error>
    where
        D: DrawTarget,
        D::Color: From<Rgb888>,
    {
        let screen = target.bounding_box();
        let area = fit((report.width, report.height), (screen.size.width, screen.size.height));
        let size = Size::new(area.width, area.height);
        let corner = screen.top_left + Point::new(area.x as i32, area.y as i32);
        let area = Rectangle::new(corner, size);
        if let Some(picture) = picture {
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
        self.scene(report).draw(&mut view.color_converted::<Rgb888>())
    }

    /// Draws `report` onto `rgb`, a copy of its picture in its own or another size:
    /// `width · height` pixels of three bytes.
    pub fn annotate(&mut self, rgb: &mut [u8], width: u32, height: u32, report: &FrameReport) {
        let Ok(()) = self.scene(report).draw(&mut Canvas::new(rgb, width, height));
    }

    /// Remembers a report that is not drawn.
    pub(crate) fn follow(&mut self, report: &FrameReport) {
        if !report.looked {
            return;
        }
        let memory = self.sources.entry(Arc::clone(&report.source)).or_default();
        memory.unseen.clear();
        memory.unseen.extend(report.tracks.iter().filter(|track| !track.seen).map(|track| track.id));
        memory.trails.retain(|id, _| report.tracks.iter().any(|track| track.id == *id));
        for track in report.tracks.iter().filter(|track| track.seen) {
            let trail = memory.trails.entry(track.id).or_default();
            trail.follow(track.age, &track.rect, (report.width, report.height));
        }
    }

    fn scene<'a>(&mut self, report: &'a FrameReport) -> Scene<'a> {
        self.follow(report);
        let size = (report.width, report.height);
        let memory = self.sources.get(&report.source);
        let trail = |track: &Track| {
            let trail = memory.filter(|_| self.trails).and_then(|memory| memory.trails.get(&track.id));
            trail.map_or_else(Vec::new, |trail| trail.steps(track.age, &track.rect, size))
        };
        let marks = match self.things {
            ShownBoxes::Tracks => report
                .tracks
                .iter()
                .map(|track| Mark {
                    rect: track.rect,
                    name: &track.label,
                    suffix: format!(" #{} {:.2}", track.id, track.score),
                    colour: self.palette.colour(&track.label),
                    dashed: memory.is_some_and(|memory| memory.unseen.contains(&track.id)),
                    trail: trail(track),
                })
                .collect(),
            ShownBoxes::Detections => report
                .detections
                .iter()
                .map(|detection| Mark {
                    rect: detection.rect,
                    name: &detection.label,
                    suffix: format!(" {:.2}", detection.score),
                    colour: self.palette.colour(&detection.label),
                    dashed: false,
                    trail: Vec::new(),
                })
                .collect(),
        };
        Scene {
            size,
            marks,
            tags: report.tags.iter().map(|tag| (&*tag.label, tag.score)).collect(),
            crops: &report.crops,
            outlines: &report.outlines,
            clock: Some(clock(report)),
        }
    }
}

/// `2026-11-22 06:00:00Z /dev/video0`
fn clock(report: &FrameReport) -> String {
    let time = utc(report.time);
    let (date, rest) = time.split_once('T').unwrap_or_default();
    let second = rest.split('.').next().unwrap_or_default();
    format!("{date} {second}Z {}", report.source)
}

/// The parts of `screen` outside of `area`: above, below, left and right.
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
