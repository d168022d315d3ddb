//! Into how many tiles a picture is cut, and where they lie.

use std::time::Duration;

use crate::error::Result;
use crate::frame::{Frame, PixelFormat};
use crate::geometry::Rect;
use crate::report::Grid;

/// Share of a tile that it has in common with its neighbour: a thing up to this size is whole in one of them.
const OVERLAP: f64 = 0.2;
/// Sides of a tile by [`Tiles::Auto`] are at most this many times the network's input, so that little is lost in
/// making them smaller.
const FINEST: f64 = 1.25;
/// Most tiles across and down by [`Tiles::Auto`].
const MOST_AUTO: u32 = 4;

/// Whether a picture is also looked at in overlapping tiles, which shows what is too small to be seen in the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum Tiles {
    /// The whole picture alone.
    #[default]
    Off,
    /// As many as the picture's size asks for, up to 4 × 4, and as fit the time beside the look at the whole; none for
    /// pictures that are little larger than the network's input.
    Auto {
        /// Longest time for all looks at a picture.
        within: Duration,
    },
    /// Always this many.
    Grid(Grid),
}

impl Tiles {
    /// The grid for a picture of `size` pixels, seen by a network of `input` × `input`, if one look takes `look`; `None` if
    /// the whole is enough.
    pub(crate) fn grid(self, (width, height): (u32, u32), input: u32, look: Duration) -> Option<Grid> {
        let grid = match self {
            Self::Off => return None,
            Self::Grid(grid) => grid.for_size((width, height)),
            Self::Auto { within } => {
                let finest = Self::finest((width, height), input);
                let most = within.as_secs_f64() / look.as_secs_f64().max(1e-6) - 1.0;
                let grids = (1..=finest.columns)
                    .flat_map(|columns| (1..=finest.rows).map(move |rows| Grid { columns, rows }));
                let fitting = grids.filter(|grid| f64::from(grid.columns * grid.rows) <= most);
                let longest = |grid: &Grid| (width / grid.columns).max(height / grid.rows);
                fitting.min_by_key(|grid| (longest(grid), grid.columns * grid.rows))?
            }
        };
        (grid.columns * grid.rows > 1).then_some(grid)
    }

    /// The grid by which little is lost in making tiles smaller, at most 4 × 4.
    pub(crate) fn finest((width, height): (u32, u32), input: u32) -> Grid {
        let count = |side: u32| (f64::from(side) / (FINEST * f64::from(input))).ceil() as u32;
        let count = |side: u32| count(side).clamp(1, MOST_AUTO);
        Grid { columns: count(width), rows: count(height) }
    }
}

impl Grid {
    /// No more tiles than there are pixels.
    fn for_size(self, (width, height): (u32, u32)) -> Self {
        Self { columns: self.columns.min(width), rows: self.rows.min(height) }
    }

    /// The tiles of a picture of `size` pixels, row by row; together they cover it.
    pub(crate) fn tiles(self, (width, height): (u32, u32)) -> Vec<Tile> {
        let (across, down) = (spans(width, self.columns), spans(height, self.rows));
        let tile = |&(y, height): &(u32, u32)| {
            across.iter().map(move |&(x, width)| Tile { x, y, width, height }).collect::<Vec<_>>()
        };
        down.iter().flat_map(tile).collect()
    }
}

/// Start and length of `count` spans of equal length that cover `side` and overlap by [`OVERLAP`].
fn spans(side: u32, count: u32) -> Vec<(u32, u32)> {
    let length = f64::from(side) / (f64::from(count) - OVERLAP * f64::from(count - 1));
    let length = (length.ceil() as u32).min(side);
    let gaps = count.saturating_sub(1).max(1);
    let start = |index: u32| (u64::from(side - length) * u64::from(index) / u64::from(gaps)) as u32;
    (0..count).map(|index| (start(index), length)).collect()
}

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Tile {
    /// This part of a picture whose `pixels` take three bytes each, without gaps, in rows of `row` pixels.
    ///
    /// # Errors
    /// [`Error::Input`] if the tile is outside.
    pub(super) fn of<'a>(&self, pixels: &'a [u8], row: u32) -> Result<Frame<'a>> {
        let stride = 3 * row as usize;
        let first = self.y as usize * stride + 3 * self.x as usize;
        Frame::new(
            pixels.get(first..).unwrap_or_default(),
            self.width,
            self.height,
            stride,
            PixelFormat::Rgb8,
        )
    }

    /// In pixels of the picture.
    pub(crate) fn rect(self) -> Rect {
        let (x0, y0) = (self.x as f32, self.y as f32);
        Rect { x0, y0, x1: x0 + self.width as f32, y1: y0 + self.height as f32 }
    }

    /// Whether a border of the tile that is none of the picture may have cut the thing at `rect`, in pixels of the picture:
    /// it comes as near as the network can tell.
    pub(super) fn cuts(self, rect: Rect, (width, height): (u32, u32)) -> bool {
        const NEAR: f32 = 0.015;
        let near = NEAR * self.width.max(self.height) as f32;
        let Rect { x0, y0, x1, y1 } = self.rect();
        self.x > 0 && rect.x0 < x0 + near
            || self.y > 0 && rect.y0 < y0 + near
            || self.x + self.width < width && rect.x1 > x1 - near
            || self.y + self.height < height && rect.y1 > y1 - near
    }
}

#[cfg(test)]
#[path = "grid_tests.rs"]
mod tests;
