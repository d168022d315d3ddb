//! Boxes made unrecognisable.

use crate::geometry::Rect;

/// Most cells along the longer side of a box: coarser than any face that can still be told from others.
const CELLS: f32 = 6.0;
/// Smallest side of a cell in pixels.
const SMALLEST: f32 = 4.0;
/// What a box is scaled by before: detectors cut off hair and chins.
const MARGIN: f32 = 1.3;

/// A box about the same centre that surely holds what is hidden.
pub(crate) fn with_margin(rect: Rect) -> Rect {
    rect.expand(MARGIN, false)
}

/// Replaces the pixels in `area` by cells of one colour each; `rgb` holds `width · height` pixels of three bytes.
/// The larger the area, the larger the cells. Colours are rounded to sixteen shades each, so that the mean of many
/// frames tells no more than one.
pub(crate) fn pixelate(rgb: &mut [u8], width: u32, height: u32, area: &Rect) {
    let inside = |v: f32, side: u32| v.clamp(0.0, side as f32) as usize;
    let (left, top) = (inside(area.x0.floor(), width), inside(area.y0.floor(), height));
    let (right, bottom) = (inside(area.x1.ceil(), width), inside(area.y1.ceil(), height));
    if left >= right || top >= bottom {
        return;
    }
    let cell = (area.width().max(area.height()) / CELLS).ceil().max(SMALLEST) as usize;
    // Cells of nearly equal size: a narrow one at the edge would show more than the others.
    let cuts = |from: usize, to: usize| {
        let count = (to - from).div_ceil(cell);
        move |i: usize| from + i * (to - from) / count
    };
    let (columns, rows) = ((right - left).div_ceil(cell), (bottom - top).div_ceil(cell));
    let (x, y) = (cuts(left, right), cuts(top, bottom));
    let stride = width as usize * 3;
    for row in 0..rows {
        for column in 0..columns {
            let (from, to) = (x(column) * 3, x(column + 1) * 3);
            let mut sums = [0u64; 3];
            let mut count = 0;
            for line in rgb.chunks_exact(stride).take(y(row + 1)).skip(y(row)) {
                for pixel in line.get(from..to).unwrap_or_default().as_chunks::<3>().0 {
                    sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(*value));
                    count += 1;
                }
            }
            let colour = sums.map(|sum| (sum / u64::max(count, 1)) as u8 & 0xf0 | 8);
            for line in rgb.chunks_exact_mut(stride).take(y(row + 1)).skip(y(row)) {
                line.get_mut(from..to).unwrap_or_default().as_chunks_mut::<3>().0.fill(colour);
            }
        }
    }
}

#[cfg(test)]
#[path = "mosaic_tests.rs"]
mod tests;
