//! How far a shaking camera has moved: the shift that fits the sums of rows and columns best,
//! in strips, so that a pattern that is even over the whole frame is seen.

use super::cells::MARGIN;
use crate::frame::Frame;
use crate::pipeline::luma::Luma;

/// Furthest shift, in pixels.
const FURTHEST: i32 = 12;
/// Strips across and down.
const STRIPS: usize = 8;
/// Rows and columns between two that are added up.
const STEP: usize = 5;
/// A shift must leave at most this part of the difference that there is without it.
const BETTER: f32 = 0.7;
/// Part of the memory that each frame replaces.
const RENEWED: f32 = 0.05;

/// The scene as it was before it shook: of each strip, differences of neighbouring sums. A change of light over the whole
/// frame changes little in them.
#[derive(Debug, Default)]
pub(super) struct Shake {
    /// Of columns, for each strip from top to bottom.
    across: Vec<Vec<f32>>,
    /// Of rows, for each strip from left to right.
    down: Vec<Vec<f32>>,
}

impl Shake {
    /// By how many pixels to the right and down a frame shows the scene moved. `None` if it contradicts itself.
    pub(super) fn follow(&mut self, frame: &Frame<'_>) -> Option<(i32, i32)> {
        let now = Self::of(frame)?;
        let length = |strips: &[Vec<f32>]| strips.first().map(Vec::len);
        if length(&self.across) != length(&now.across) || length(&self.down) != length(&now.down) {
            *self = now;
            return Some((0, 0));
        }
        let shift = (best(&self.across, &now.across), best(&self.down, &now.down));
        renew(&mut self.across, &now.across, shift.0);
        renew(&mut self.down, &now.down, shift.1);
        Some(shift)
    }

    fn of(frame: &Frame<'_>) -> Option<Self> {
        let luma = Luma::of(frame)?;
        let (width, height) = (frame.width as usize, frame.height as usize);
        let mut across = vec![vec![0u32; width]; STRIPS];
        let mut down = vec![vec![0u32; height]; STRIPS];
        for y in 0..height {
            let row = luma.row(y)?;
            for (strip, sums) in down.iter_mut().enumerate() {
                let (first, end) = (strip * width / STRIPS, (strip + 1) * width / STRIPS);
                *sums.get_mut(y)? = luma.sum(row, first, end, STEP);
            }
            if y % STEP == 0 {
                luma.add_each(row, 0, across.get_mut(y * STRIPS / height)?);
            }
        }
        let edges = |sums: Vec<u32>| sums.windows(2).map(|pair| pair[1] as f32 - pair[0] as f32).collect();
        Some(Self {
            across: across.into_iter().map(edges).collect(),
            down: down.into_iter().map(edges).collect(),
        })
    }
}

/// The shift of `now` beside `before` that leaves the smallest difference.
fn best(before: &[Vec<f32>], now: &[Vec<f32>]) -> i32 {
    // Whole numbers are added up several at a time.
    let whole = |strip: &Vec<f32>| strip.iter().map(|value| value.round() as i32).collect::<Vec<_>>();
    let pairs: Vec<_> = before.iter().zip(now).map(|(before, now)| (whole(before), whole(now))).collect();
    let difference = |shift: i32| -> u32 {
        let strips = pairs.iter().map(|(before, now)| {
            let first = MARGIN.checked_add_signed(shift as isize).unwrap_or_default();
            let inner = before.get(MARGIN..before.len().saturating_sub(MARGIN)).unwrap_or_default();
            let moved = now.get(first..).unwrap_or_default();
            inner.iter().zip(moved).map(|(before, now)| before.abs_diff(*now)).fold(0, u32::wrapping_add)
        });
        strips.fold(0, u32::saturating_add)
    };
    let (shift, left) = (-FURTHEST..=FURTHEST)
        .map(|shift| (shift, difference(shift)))
        .min_by_key(|(shift, left)| (*left, shift.abs()))
        .unwrap_or_default();
    if (left as f32) < BETTER * difference(0) as f32 { shift } else { 0 }
}

fn renew(before: &mut [Vec<f32>], now: &[Vec<f32>], shift: i32) {
    for (before, now) in before.iter_mut().zip(now) {
        for (index, value) in before.iter_mut().enumerate() {
            let moved = index.checked_add_signed(shift as isize).and_then(|index| now.get(index));
            *value += moved.map_or(0.0, |now| RENEWED * (now - *value));
        }
    }
}
