//! What a scene usually looks like, and where it does not.
//!
//! A running mean and deviation for each cell (Wren et al. 1997). Light over the whole frame changes all cells by one factor;
//! a shadow darkens what is there and keeps its pattern.

use std::time::Duration;

use super::areas::connected;
use super::cells::{Cells, MARGIN};
use crate::geometry::Rect;

/// Seconds until what stays is usual.
const USUAL: f32 = 8.0;
/// The same for a cell that has changed: something may stand there.
const UNUSUAL: f32 = 30.0;
/// Changes of fewer grey levels are a camera's noise, of fewer deviations than these a cell's.
const LEVELS: f32 = 5.0;
const DEVIATIONS: f32 = 3.5;
/// Deviation in grey levels before anything is known, and the least.
const UNKNOWN: f32 = 2.0;
const LEAST: f32 = 0.7;
/// If more of the frame has changed, the camera has turned or a light was switched: everything is learnt anew.
const TOO_MUCH: f32 = 0.4;
/// Cells of which one is asked for the light of the whole frame.
const SOME: usize = 7;
/// Fewest cells of which it can be said that they are a shadow.
const SHADOW_CELLS: usize = 6;
/// A shadow's factors vary by at most this part of what the scene behind it varies by, which must be this much.
const SHADOW_VARIES: f32 = 0.4;
const SCENE_VARIES: f32 = 0.15;

/// Mean and deviation of each cell.
#[derive(Debug, Default)]
pub(super) struct Background {
    mean: Vec<f32>,
    deviation: Vec<f32>,
    last: Duration,
}

impl Background {
    /// The areas, in pixels, in which cells seen at `clock` are not as usual; nothing for the first. Learns from them.
    pub(super) fn changed(&mut self, cells: &Cells, clock: Duration) -> Vec<Rect> {
        if self.mean.len() != cells.means.len() {
            self.restart(cells, clock);
            return Vec::new();
        }
        let seconds = clock.saturating_sub(self.last).as_secs_f32();
        self.last = clock;
        let light = self.light(cells);
        let usual = |mean: f32| (light * mean).min(255.0);
        let known = self.mean.iter().zip(&self.deviation);
        let changed: Vec<bool> = cells
            .means
            .iter()
            .zip(known)
            .map(|(now, (mean, deviation))| (now - usual(*mean)).abs() > LEVELS.max(DEVIATIONS * deviation))
            .collect();
        let count = changed.iter().filter(|changed| **changed).count();
        if count as f32 > TOO_MUCH * changed.len() as f32 {
            self.restart(cells, clock);
            return Vec::new();
        }
        let groups = connected(&changed, cells.columns);
        let moved = groups.iter().filter(|group| !self.is_shadow(group, cells));
        let areas = moved.map(|group| pixels(group, cells)).collect();
        let learnt = |seconds_until_usual: f32| 1.0 - (-seconds / seconds_until_usual).exp();
        let (usual, unusual) = (learnt(USUAL), learnt(UNUSUAL));
        for ((mean, deviation), (now, changed)) in
            self.mean.iter_mut().zip(&mut self.deviation).zip(cells.means.iter().zip(&changed))
        {
            let learnt = if *changed { unusual } else { usual };
            let off = now / light.max(0.05) - *mean;
            *deviation = (*deviation + learnt * (off.abs() - *deviation)).max(LEAST);
            *mean += learnt * off;
        }
        areas
    }

    fn restart(&mut self, cells: &Cells, clock: Duration) {
        *self = Self { mean: cells.means.clone(), deviation: vec![UNKNOWN; cells.means.len()], last: clock };
    }

    /// By what factor the light has changed: that of the cell in the middle.
    fn light(&self, cells: &Cells) -> f32 {
        let some = self.mean.iter().zip(&cells.means).step_by(SOME);
        let bright = some.filter(|(mean, _)| **mean > 16.0);
        let factors: Vec<f32> = bright.map(|(mean, now)| now / mean).collect();
        if factors.is_empty() { 1.0 } else { quartiles(factors)[1] }
    }

    /// Whether a group is as before, but darker.
    fn is_shadow(&self, group: &[usize], cells: &Cells) -> bool {
        let pairs = group.iter().filter_map(|cell| Some((*self.mean.get(*cell)?, *cells.means.get(*cell)?)));
        let pairs: Vec<(f32, f32)> = pairs.filter(|(mean, _)| *mean > 1.0).collect();
        if pairs.len() < SHADOW_CELLS {
            return false;
        }
        let spread = |[low, middle, high]: [f32; 3]| (high - low) / middle.max(1e-3);
        let factors = quartiles(pairs.iter().map(|(mean, now)| now / mean).collect());
        let scene = spread(quartiles(pairs.iter().map(|(mean, _)| *mean).collect()));
        factors[2] < 1.0 && scene > SCENE_VARIES && spread(factors) < SHADOW_VARIES * scene
    }
}

/// The box around the cells of a group, in pixels of the frame.
fn pixels(group: &[usize], cells: &Cells) -> Rect {
    let side = cells.side as f32;
    let nothing = Rect { x0: f32::MAX, y0: f32::MAX, x1: 0.0, y1: 0.0 };
    group.iter().fold(nothing, |around, cell| {
        let x = (MARGIN + cell % cells.columns * cells.side) as f32;
        let y = (MARGIN + cell / cells.columns * cells.side) as f32;
        Rect {
            x0: around.x0.min(x),
            y0: around.y0.min(y),
            x1: around.x1.max(x + side),
            y1: around.y1.max(y + side),
        }
    })
}

/// The values a quarter, half and three quarters of the way up; there must be any.
fn quartiles(mut values: Vec<f32>) -> [f32; 3] {
    values.sort_by(f32::total_cmp);
    [1, 2, 3].map(|quarter| values.get(quarter * (values.len() - 1) / 4).copied().unwrap_or_default())
}
