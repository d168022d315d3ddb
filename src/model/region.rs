//! The region vector: what the feature maps hold around a box.

use super::manifest::Pool;
use super::output::{FeatureMap, VisionOutput};
use crate::error::{Error, Result};
use crate::geometry::Rect;
use edgeclip_kernels::Isa;
use edgeclip_kernels::blend::blend;

/// Appends the region vector of `rect`, in input pixels of a square input of `size` pixels: every pool's part in order, then
/// `ln(w/S), ln(h/S)`. `content` is where the picture lies inside the letterbox.
///
/// # Errors
/// [`Error::Settings`] if the box is empty or not finite, [`Error::Bug`] if `out` lacks a map.
pub(super) fn vector(
    isa: Isa,
    out: &VisionOutput,
    pools: &[Pool],
    size: u32,
    content: &Rect,
    rect: &Rect,
    vector: &mut Vec<f32>,
) -> Result<()> {
    pooled(isa, out, pools, size, content, rect, vector)?;
    vector.push((rect.width() / size as f32).ln());
    vector.push((rect.height() / size as f32).ln());
    Ok(())
}

/// Appends every pool's part alone.
///
/// # Errors
/// As [`vector`].
pub(super) fn pooled(
    isa: Isa,
    out: &VisionOutput,
    pools: &[Pool],
    size: u32,
    content: &Rect,
    rect: &Rect,
    vector: &mut Vec<f32>,
) -> Result<()> {
    if !(rect.area() > 0.0 && rect.area().is_finite() && rect.x0.is_finite() && rect.y0.is_finite()) {
        let found = format!("({}, {}, {}, {})", rect.x0, rect.y0, rect.x1, rect.y1);
        return Err(Error::settings("region", found, "a finite box with x0 < x1 and y0 < y1"));
    }
    for pool in pools {
        let name = chosen(pool, rect);
        let map = out.maps.get(name).ok_or_else(|| Error::bug(format!("no feature map {name}")))?;
        let around = rect.expand(pool.expand, pool.square).clip(content);
        average(isa, map, size as f32, &around, pool.samples, vector);
    }
    Ok(())
}

/// What one pool holds of each of some boxes, inside their region vectors.
#[derive(Debug)]
pub(crate) struct Pooled {
    /// The region vectors.
    pub(super) vectors: Vec<f32>,
    /// Where the pool's part of each begins.
    pub(super) starts: Vec<usize>,
    /// Its length.
    pub(super) channels: usize,
}

impl Pooled {
    /// The part of a box.
    pub(super) fn of(&self, index: usize) -> Option<&[f32]> {
        self.vectors.get(*self.starts.get(index)?..)?.get(..self.channels)
    }
}

/// Channels of what `pools` hold of `rect` together.
pub(super) fn channels(out: &VisionOutput, pools: &[Pool], rect: &Rect) -> usize {
    pools.iter().filter_map(|pool| out.maps.get(chosen(pool, rect))).map(|map| map.channels).sum()
}

/// The first map `i` with `sqrt(w · h) < limits[i]`, else the last.
fn chosen<'a>(pool: &'a Pool, rect: &Rect) -> &'a str {
    let side = rect.area().sqrt();
    let index = pool.limits.iter().position(|&limit| side < limit).unwrap_or(pool.limits.len());
    pool.maps.get(index).map_or("", String::as_str)
}

/// Appends the mean of `samples` × `samples` bilinear samples of `map` inside `rect`, one value a channel.
///
/// The mean of a grid of bilinear samples is separable: `Σ_y Σ_x a_y · b_x · map[y][x]`.
fn average(isa: Isa, map: &FeatureMap, size: f32, rect: &Rect, samples: usize, vector: &mut Vec<f32>) {
    let columns = axis(rect.x0, rect.x1, size, map.width, samples);
    let rows = axis(rect.y0, rect.y1, size, map.height, samples);
    let places =
        rows.iter().flat_map(|&(y, a)| columns.iter().map(move |&(x, b)| (y * map.width + x, a * b)));
    let start = vector.len();
    vector.resize(start + map.channels, 0.0);
    blend(isa, &places.collect::<Vec<_>>(), &map.data, &mut vector[start..]);
}

/// Cells and weights, summing to 1, of the mean of bilinear samples along one axis. Sample `i` lies at pixel
/// `p = from + (i + .5)/n · (to − from)`, feature coordinate `u = p/stride − .5`, clamped to `[0, cells − 1]`.
fn axis(from: f32, to: f32, size: f32, cells: usize, samples: usize) -> Vec<(usize, f32)> {
    let stride = size / cells as f32;
    let last = cells - 1;
    let mut weights: Vec<(usize, f32)> = Vec::with_capacity(2 * samples);
    for i in 0..samples {
        let pixel = from + (i as f32 + 0.5) / samples as f32 * (to - from);
        let u = (pixel / stride - 0.5).clamp(0.0, last as f32);
        let cell = (u as usize).min(last);
        let fraction = u - cell as f32;
        for (cell, weight) in [(cell, 1.0 - fraction), ((cell + 1).min(last), fraction)] {
            match weights.iter_mut().find(|(known, _)| *known == cell) {
                Some((_, sum)) => *sum += weight / samples as f32,
                None => weights.push((cell, weight / samples as f32)),
            }
        }
    }
    weights
}

#[cfg(test)]
#[path = "region_tests.rs"]
mod tests;
