//! Blackens the areas of masks in frames of any format.

use super::Mask;
use crate::frame::FrameMut;

/// Part of a pixel by which a corner may miss the edge between two: 0.3 of 10 rows is a little more than 3 in `f32`.
const ROUNDING: f64 = 1e-3;

/// The masks of one source, as pixels of the size that its frames have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Masks {
    /// Corners of each area.
    areas: Vec<Vec<[f64; 2]>>,
    /// What [`Masks::areas`] cover in frames of the size that was seen last.
    cover: Cover,
}

/// Pixels by rows.
#[derive(Debug, Clone, Default, PartialEq)]
struct Cover {
    size: (u32, u32),
    /// Row, first pixel, end; by rows, not overlapping.
    runs: Vec<(u32, u32, u32)>,
}

impl Masks {
    /// Puts `masks` together, which have been checked.
    pub(crate) fn new<'a>(masks: impl IntoIterator<Item = &'a Mask>) -> Self {
        let corners = |mask: &Mask| mask.corners().into_iter().map(|corner| corner.map(f64::from)).collect();
        Self { areas: masks.into_iter().map(corners).collect(), cover: Cover::default() }
    }

    /// Blackens every pixel that lies in an area, if only in part.
    pub(crate) fn blacken(&mut self, frame: &mut FrameMut<'_>) {
        if self.areas.is_empty() {
            return;
        }
        if self.cover.size != frame.size() {
            self.cover = Cover::of(&self.areas, frame.size());
        }
        for (y, left, right) in &self.cover.runs {
            frame.blacken(*y, *left, *right);
        }
    }
}

impl Cover {
    fn of(areas: &[Vec<[f64; 2]>], size: (u32, u32)) -> Self {
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        let areas: Vec<Vec<_>> = areas.iter().map(|area| edges(area, width, height).collect()).collect();
        let mut runs = Vec::new();
        for y in 0..size.1 {
            let mut row: Vec<_> = areas.iter().flat_map(|area| spans(area, f64::from(y))).collect();
            row.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut joined: Vec<(u32, u32)> = Vec::new();
            for (left, right) in row {
                // Whole pixels, which `as` keeps within the picture's sides.
                let left = (left + ROUNDING).floor().max(0.0) as u32;
                let right = (right - ROUNDING).ceil().clamp(0.0, width) as u32;
                match joined.last_mut().filter(|last| left <= last.1) {
                    Some(last) => last.1 = last.1.max(right),
                    None if left < right => joined.push((left, right)),
                    None => {}
                }
            }
            runs.extend(joined.into_iter().map(|(left, right)| (y, left, right)));
        }
        Self { size, runs }
    }
}

/// The edges of a polygon in pixels.
fn edges(area: &[[f64; 2]], width: f64, height: f64) -> impl Iterator<Item = [[f64; 2]; 2]> {
    let pixels = move |[x, y]: &[f64; 2]| [x * width, y * height];
    area.iter().zip(area.iter().cycle().skip(1)).map(move |(a, b)| [pixels(a), pixels(b)])
}

/// Where an area touches the row of pixels from `y` to `y + 1`: where its edges pass, and what lies inside half
/// way down. A pixel through which no edge passes is inside in whole or not at all.
fn spans(area: &[[[f64; 2]; 2]], y: f64) -> Vec<(f64, f64)> {
    let at =
        |[a, b]: &[[f64; 2]; 2], y: f64| a[0] + (b[0] - a[0]) * ((y - a[1]) / (b[1] - a[1])).clamp(0.0, 1.0);
    let mut spans = Vec::new();
    let mut crossings = Vec::new();
    for edge in area {
        let (top, bottom) = (edge[0][1].min(edge[1][1]), edge[0][1].max(edge[1][1]));
        if bottom <= y + ROUNDING || top >= y + 1.0 - ROUNDING {
            continue;
        }
        let (first, last) = if top == bottom {
            (edge[0][0], edge[1][0])
        } else {
            (at(edge, top.max(y)), at(edge, bottom.min(y + 1.0)))
        };
        spans.push((first.min(last), first.max(last)));
        let middle = y + 0.5;
        if top <= middle && middle < bottom {
            crossings.push(at(edge, middle));
        }
    }
    crossings.sort_by(f64::total_cmp);
    spans.extend(crossings.as_chunks::<2>().0.iter().map(|[left, right]| (*left, *right)));
    spans
}

#[cfg(test)]
#[path = "masks_tests.rs"]
mod tests;
