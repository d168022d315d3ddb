//! The region vector: what the feature maps hold around a box.

use std::collections::BTreeMap;

use super::manifest::Pool;
use super::output::VisionOutput;
use crate::error::{Error, Result};
use crate::geometry::Rect;
use crate::kernels::Isa;
use crate::kernels::blend::blend;

/// The feature maps of one picture, ready for any number of boxes.
pub(super) struct Regions<'a> {
    isa: Isa,
    pools: &'a [Pool],
    /// Side of the square input in pixels.
    size: f32,
    maps: BTreeMap<&'a str, Map>,
}

/// A feature map, `[height, width, channels]`.
struct Map {
    channels: usize,
    width: usize,
    height: usize,
    data: Vec<f32>,
}

impl<'a> Regions<'a> {
    /// Turns the maps that `pools` name; the square input has `size` pixels a side.
    ///
    /// # Errors
    /// [`Error::Internal`] if `out` lacks a map.
    pub(super) fn new(isa: Isa, out: &VisionOutput, pools: &'a [Pool], size: u32) -> Result<Self> {
        let mut maps = BTreeMap::new();
        for name in pools.iter().flat_map(|pool| &pool.maps) {
            let map = out.maps.get(name).ok_or_else(|| Error::Internal(format!("no feature map {name}")))?;
            maps.entry(name.as_str()).or_insert_with(|| {
                let mut data = vec![0.0; map.data.len()];
                for (channel, plane) in map.data.chunks_exact((map.width * map.height).max(1)).enumerate() {
                    for (pixel, &value) in data.chunks_exact_mut(map.channels.max(1)).zip(plane) {
                        pixel[channel] = value;
                    }
                }
                Map { channels: map.channels, width: map.width, height: map.height, data }
            });
        }
        Ok(Self { isa, pools, size: size as f32, maps })
    }

    /// Appends the region vector of `rect`, in input pixels: every pool's part in order, then `ln(w/S), ln(h/S)`. `content` is where
    /// the picture lies inside the letterbox.
    ///
    /// # Errors
    /// [`Error::Input`] if the box is empty or not finite.
    pub(super) fn push(&self, content: &Rect, rect: &Rect, vector: &mut Vec<f32>) -> Result<()> {
        if !(rect.area() > 0.0 && rect.area().is_finite() && rect.x0.is_finite() && rect.y0.is_finite()) {
            let found = format!("({}, {}, {}, {})", rect.x0, rect.y0, rect.x1, rect.y1);
            return Err(Error::input("region", found, "a finite box with x0 < x1 and y0 < y1"));
        }
        for pool in self.pools {
            if let Some(map) = self.maps.get(chosen(pool, rect)) {
                let around = rect.expand(pool.expand, pool.square).clip(content);
                self.average(map, &around, pool.samples, vector);
            }
        }
        vector.push((rect.width() / self.size).ln());
        vector.push((rect.height() / self.size).ln());
        Ok(())
    }

    /// Appends, a channel at a time, the mean of `samples` × `samples` bilinear samples of `map` inside `rect`.
    ///
    /// The mean of a grid of bilinear samples is separable: `Σ_y Σ_x a_y · b_x · map[y][x]`.
    fn average(&self, map: &Map, rect: &Rect, samples: usize, vector: &mut Vec<f32>) {
        let columns = axis(rect.x0, rect.x1, self.size, map.width, samples);
        let rows = axis(rect.y0, rect.y1, self.size, map.height, samples);
        let cells =
            rows.iter().flat_map(|&(y, a)| columns.iter().map(move |&(x, b)| (y * map.width + x, a * b)));
        let start = vector.len();
        vector.resize(start + map.channels, 0.0);
        blend(self.isa, &cells.collect::<Vec<_>>(), &map.data, &mut vector[start..]);
    }
}

/// The first map `i` with `sqrt(w · h) < limits[i]`, else the last.
fn chosen<'a>(pool: &'a Pool, rect: &Rect) -> &'a str {
    let side = rect.area().sqrt();
    let index = pool.limits.iter().position(|&limit| side < limit).unwrap_or(pool.limits.len());
    pool.maps.get(index).map_or("", String::as_str)
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
