//! A picture looked at as a whole and in overlapping tiles, for things that are too small to be seen in the whole.
//!
//! Slicing-aided inference, Akyon, Altinuc and Temizel 2022.

mod grid;
mod merge;

pub(crate) use grid::Tile;
pub use grid::Tiles;

use std::borrow::Cow;
use std::time::Duration;

use self::merge::{Part, merge};
use super::detect::{Look, Pipeline};
use crate::error::Result;
use crate::frame::{Frame, PixelFormat};
use crate::preprocess::rgb;
use crate::vocabulary::Vocabulary;

impl Pipeline {
    /// A look at the whole of a picture and at the tiles that `tiles` asks for, by the picture's size and the time that the
    /// look at the whole took: tags are those of the whole, regions of both. `each` is called with every single look before
    /// they are joined, and the top left corner of what it looked at.
    ///
    /// # Errors
    /// Those of [`Pipeline::look`] and of `each`.
    pub(super) fn look_closely(
        &self,
        frame: &Frame<'_>,
        vocabulary: &Vocabulary,
        tiles: impl FnOnce(Duration) -> Vec<Tile>,
        mut each: impl FnMut(&mut Look, (u32, u32)) -> Result<()>,
    ) -> Result<Look> {
        let mut whole = self.look(frame, vocabulary)?;
        each(&mut whole, (0, 0))?;
        let tiles = tiles(whole.timing.total());
        if tiles.is_empty() {
            return Ok(whole);
        }
        let pixels = packed(frame)?;
        let mut parts = Vec::new();
        for tile in tiles {
            let mut look = self.look(&tile.of(&pixels, frame.width)?, vocabulary)?;
            each(&mut look, (tile.x, tile.y))?;
            whole.timing += look.timing;
            parts.push(Part { regions: look.regions, tile });
        }
        let letterbox = whole.encoded.letterbox;
        let regions = std::mem::take(&mut whole.regions);
        let size = (frame.width, frame.height);
        whole.regions = merge(regions, parts, size, vocabulary, self.manifest());
        for region in &mut whole.regions {
            region.input = letterbox.to_input(region.rect);
        }
        Ok(whole)
    }
}

/// The pixels of a frame in three bytes each, without gaps.
fn packed<'a>(frame: &Frame<'a>) -> Result<Cow<'a, [u8]>> {
    if frame.format == PixelFormat::Rgb8 && frame.stride == 3 * frame.width as usize {
        return Ok(Cow::Borrowed(frame.data));
    }
    rgb(frame).map(Cow::Owned)
}
