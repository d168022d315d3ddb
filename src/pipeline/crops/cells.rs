//! A frame as the mean brightness of small squares.

use crate::frame::Frame;
use crate::pipeline::luma::Luma;

/// Most cells across or down.
const MOST: usize = 240;
/// Fewest pixels across a cell.
const LEAST: usize = 8;
/// Rows of which one is read.
const ROWS: usize = 2;
/// Pixels at each border that no cell covers, so that a frame may be shifted by as many.
pub(super) const MARGIN: usize = 16;

/// Mean brightness of each cell, 0 to 255.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cells {
    /// Pixels across and down a cell.
    pub side: usize,
    /// Cells in a row.
    pub columns: usize,
    /// Row by row.
    pub means: Vec<f32>,
}

impl Cells {
    /// The cells of a frame that shows the scene moved by `(right, down)` pixels, at most [`MARGIN`] each. `None` if the
    /// frame is too small.
    pub(super) fn of(frame: &Frame<'_>, (right, down): (i32, i32)) -> Option<Self> {
        let (width, height) = (frame.width as usize, frame.height as usize);
        let side = width.max(height).div_ceil(MOST).max(LEAST);
        let columns = width.checked_sub(2 * MARGIN)? / side;
        let rows = height.checked_sub(2 * MARGIN)? / side;
        let left = MARGIN.checked_add_signed(right as isize)?;
        let top = MARGIN.checked_add_signed(down as isize)?;
        let luma = Luma::of(frame)?;
        let mut means = Vec::with_capacity(columns * rows);
        let mut sums = vec![0u32; columns * side];
        for row in 0..rows {
            sums.fill(0);
            for y in (0..side).step_by(ROWS) {
                luma.add_each(luma.row(top + row * side + y)?, left, &mut sums);
            }
            let count = side * side.div_ceil(ROWS);
            means.extend(sums.chunks_exact(side).map(|cell| cell.iter().sum::<u32>() as f32 / count as f32));
        }
        (columns > 0 && rows > 0).then_some(Self { side, columns, means })
    }
}
