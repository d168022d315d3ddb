//! Whose turn it is, where more asks for a closer look than there is time for.

use std::time::Duration;

use super::super::tiles::Tile;
use crate::geometry::Rect;

/// Squares across and down, for each of which it is remembered when it was last looked at closely.
const PLACES: usize = 16;
/// An area of more than this share of the longer side is seen well in the whole.
const LARGE: f32 = 0.4;
/// A crop's side in sizes of what it shows.
const ROOM: f32 = 2.0;
/// Share of the side that several areas together may take.
const FILLED: f32 = 0.8;
/// Share of an area inside a crop from which it has had its turn.
const INSIDE: f32 = 0.9;

/// When each place was last looked at closely.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Row by row; `None` if never.
    looked: Vec<Option<Duration>>,
    /// The next of all tiles.
    next: usize,
}

impl Turns {
    /// The next `most` of `tiles`, all in turn.
    pub(super) fn next(&mut self, tiles: &[Tile], most: usize) -> Vec<Tile> {
        let turn = tiles.iter().cycle().skip(self.next % tiles.len().max(1));
        let chosen: Vec<Tile> = turn.take(most.min(tiles.len())).copied().collect();
        self.next = (self.next + chosen.len()) % tiles.len().max(1);
        chosen
    }

    /// For how long an area of a frame of `size` has not been looked at closely; very long if it never was.
    pub(super) fn waited(&self, area: &Rect, size: (u32, u32), clock: Duration) -> Duration {
        let looked = self.looked.get(place(area, size)).copied().flatten();
        looked.map_or(Duration::MAX, |looked| clock.saturating_sub(looked))
    }

    /// At most `most` crops around `areas` of a frame of `size`, at least `input` pixels wide: those that have waited longest
    /// come first, and what lies beside them comes along.
    pub(super) fn around(
        &mut self,
        areas: &[Rect],
        size: (u32, u32),
        input: u32,
        clock: Duration,
        most: usize,
    ) -> Vec<Tile> {
        self.looked.resize(PLACES * PLACES, None);
        let longest = LARGE * size.0.max(size.1) as f32;
        let mut waiting: Vec<Rect> =
            areas.iter().copied().filter(|area| area.width().max(area.height()) <= longest).collect();
        waiting.sort_by_key(|area| self.looked.get(place(area, size)).copied().flatten());
        let mut chosen = Vec::new();
        while chosen.len() < most && !waiting.is_empty() {
            let mut around = waiting.remove(0);
            let side = (input as f32).max(ROOM * around.width().max(around.height()));
            for area in &waiting {
                let both = around.hull(area);
                if both.width().max(both.height()) <= FILLED * side {
                    around = both;
                }
            }
            let tile = square(around, side, size);
            let whole = tile.rect();
            waiting.retain(|area| {
                whole.intersection(area).is_none_or(|both| both.area() < INSIDE * area.area())
            });
            for (index, looked) in self.looked.iter_mut().enumerate() {
                let (x, y) = ((index % PLACES) as f32 + 0.5, (index / PLACES) as f32 + 0.5);
                let (x, y) = (x * size.0 as f32 / PLACES as f32, y * size.1 as f32 / PLACES as f32);
                if (whole.x0..whole.x1).contains(&x) && (whole.y0..whole.y1).contains(&y) {
                    *looked = Some(clock);
                }
            }
            if let Some(looked) = self.looked.get_mut(place(&around, size)) {
                *looked = Some(clock);
            }
            chosen.push(tile);
        }
        chosen
    }
}

/// The place of an area's centre.
fn place(area: &Rect, (width, height): (u32, u32)) -> usize {
    let index = |centre: f32, side: u32| ((centre * PLACES as f32 / side as f32) as usize).min(PLACES - 1);
    let (x, y) = ((area.x0 + area.x1) / 2.0, (area.y0 + area.y1) / 2.0);
    index(y, height) * PLACES + index(x, width)
}

/// A square of about `side` pixels around `area`, moved into the frame.
fn square(area: Rect, side: f32, (width, height): (u32, u32)) -> Tile {
    let span = |low: f32, high: f32, most: u32| {
        let length = (side.ceil() as u32).clamp(1, most);
        let start = ((low + high - length as f32) / 2.0).round().max(0.0) as u32;
        (start.min(most - length), length)
    };
    let ((x, width), (y, height)) = (span(area.x0, area.x1, width), span(area.y0, area.y1, height));
    Tile { x, y, width, height }
}
