//! Where of a frame to look more closely: crops around what moves or is small, or all parts in turn. The network sees a
//! frame at a few hundred pixels, a camera has two million.

mod areas;
mod background;
mod cells;
mod choice;
mod shake;

use std::time::Duration;

use self::background::Background;
use self::cells::Cells;
use self::choice::Turns;
use self::shake::Shake;
use super::tiles::{Tile, Tiles};
use crate::config::{CropsKind, Look};
use crate::frame::Frame;
use crate::geometry::Rect;

/// Frames whose longer side is at most this many times the network's input gain nothing.
const WORTH: f32 = 1.25;
/// Things up to this share of the longer side are too small to be seen well in the whole.
const SMALL: f32 = 0.08;
/// How often a small thing that is tracked but does not move is looked at.
const AGAIN: Duration = Duration::from_secs(1);
/// Share of a thing inside a crop from which it is seen there.
const INSIDE: f32 = 0.9;

/// Chooses the crops of one source, from look to look.
#[derive(Debug, Default)]
pub(crate) struct Crops {
    settings: Look,
    size: (u32, u32),
    /// Whether a crop shows more than the whole.
    is_large: bool,
    shake: Shake,
    background: Background,
    turns: Turns,
}

impl Crops {
    /// Of a source of which nothing is known yet.
    pub(crate) fn new(settings: Look) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Takes other settings; what was learnt of the scene stays.
    pub(crate) fn set(&mut self, settings: Look) {
        self.settings = settings;
    }

    /// The parts of a frame taken at `clock` to look at besides the whole, at most as many as the settings say. `tracks` are
    /// expected there; `input` is the side of the network's input. Of the first frame, and where nothing has moved and no
    /// small thing is tracked, none.
    pub(crate) fn choose(
        &mut self,
        frame: &Frame<'_>,
        clock: Duration,
        tracks: impl FnOnce() -> Vec<Rect>,
        input: u32,
    ) -> Vec<Tile> {
        let size = (frame.width, frame.height);
        if self.size != size {
            *self = Self { settings: self.settings, size, ..Self::default() };
        }
        self.is_large = size.0.max(size.1) as f32 > WORTH * input as f32;
        if self.settings.crops == CropsKind::Off || !self.is_large {
            return Vec::new();
        }
        let most = usize::from(self.settings.most);
        if self.settings.crops == CropsKind::Tiles {
            return self.turns.next(&Tiles::finest(size, input).tiles(size), most);
        }
        let cells = self.shake.follow(frame).and_then(|shift| Cells::of(frame, shift));
        let mut areas = cells.map(|cells| self.background.changed(&cells, clock)).unwrap_or_default();
        let again = |rect: &Rect| self.is_small(rect) && self.turns.waited(rect, size, clock) >= AGAIN;
        areas.extend(tracks().iter().filter_map(|rect| rect.intersection(&self.frame())).filter(again));
        self.turns.around(&areas, size, input, clock, most)
    }

    /// Whether a thing at `rect` would have been seen in a look at the whole and at these `tiles`. What has left the frame is
    /// not waited for.
    pub(crate) fn show(&self, rect: &Rect, tiles: &[Tile]) -> bool {
        if self.settings.crops == CropsKind::Off || !self.is_large {
            return true;
        }
        let Some(visible) = rect.intersection(&self.frame()) else { return true };
        let is_in = |tile: &Tile| {
            let inside = visible.intersection(&tile.rect()).map_or(0.0, |inside| inside.area());
            inside > INSIDE * visible.area()
        };
        !self.is_small(rect) || tiles.iter().any(is_in)
    }

    fn frame(&self) -> Rect {
        Rect { x0: 0.0, y0: 0.0, x1: self.size.0 as f32, y1: self.size.1 as f32 }
    }

    fn is_small(&self, rect: &Rect) -> bool {
        let small = SMALL * self.size.0.max(self.size.1) as f32;
        rect.area() < small * small
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
