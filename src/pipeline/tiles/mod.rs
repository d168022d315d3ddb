//! A picture looked at as a whole and in overlapping tiles, for things that are too small to be seen in the whole.
//!
//! Slicing-aided inference, Akyon, Altinuc and Temizel 2022.

mod grid;
mod merge;

pub use grid::{Grid, Tiles};

use std::borrow::Cow;

use self::merge::{Part, merge};
use super::detect::{Look, Pipeline};
use crate::error::Result;
use crate::frame::{Frame, PixelFormat};
use crate::preprocess::rgb;
use crate::vocabulary::Vocabulary;

impl Pipeline {
    /// A look at the whole of a picture and at each of its tiles: tags are those of the whole, regions of both. `each` is
    /// called with every single look before they are joined, and the top left corner of what it looked at. Also the grid,
    /// `None` where the whole was enough.
    ///
    /// # Errors
    /// Those of [`Pipeline::look`] and of `each`.
    pub(super) fn look_in_tiles(
        &self,
        frame: &Frame<'_>,
        vocabulary: &Vocabulary,
        tiles: Tiles,
        mut each: impl FnMut(&mut Look, (u32, u32)) -> Result<()>,
    ) -> Result<(Look, Option<Grid>)> {
        let mut whole = self.look(frame, vocabulary)?;
        each(&mut whole, (0, 0))?;
        let size = (frame.width, frame.height);
        let Some(grid) = tiles.grid(size, self.manifest().input.size, whole.timing.total()) else {
            return Ok((whole, None));
        };
        let pixels = packed(frame)?;
        let mut parts = Vec::new();
        for tile in grid.tiles(size) {
            let mut look = self.look(&tile.of(&pixels, frame.width)?, vocabulary)?;
            each(&mut look, (tile.x, tile.y))?;
            whole.timing += look.timing;
            parts.push(Part { regions: look.regions, tile });
        }
        let before = whole.encoded.letterbox;
        let regions = std::mem::take(&mut whole.regions);
        whole.regions = merge(regions, parts, size, vocabulary, self.manifest());
        for region in &mut whole.regions {
            region.input = before.to_input(region.rect);
        }
        Ok((whole, Some(grid)))
    }
}

/// The pixels of a frame in three bytes each, without gaps.
fn packed<'a>(frame: &Frame<'a>) -> Result<Cow<'a, [u8]>> {
    if frame.format == PixelFormat::Rgb8 && frame.stride == 3 * frame.width as usize {
        return Ok(Cow::Borrowed(frame.data));
    }
    rgb(frame).map(Cow::Owned)
}
