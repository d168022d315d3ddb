//! Boxes in pixels, and the letterbox that maps a picture to the network's square input and back.

use serde::Serialize;

use crate::error::{Error, Result};

/// An axis-aligned box in pixels: x to the right, y down, `x1` and `y1` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rect {
    /// Left edge.
    pub x0: f32,
    /// Top edge.
    pub y0: f32,
    /// Right edge, exclusive.
    pub x1: f32,
    /// Bottom edge, exclusive.
    pub y1: f32,
}

impl Rect {
    /// Width in pixels, never negative.
    pub fn width(&self) -> f32 {
        (self.x1 - self.x0).max(0.0)
    }

    /// Height in pixels, never negative.
    pub fn height(&self) -> f32 {
        (self.y1 - self.y0).max(0.0)
    }

    /// Area in square pixels.
    pub fn area(&self) -> f32 {
        self.width() * self.height()
    }

    /// The overlap of both boxes; `None` if its area is zero.
    pub fn intersection(&self, other: &Rect) -> Option<Rect> {
        let common = self.clip(other);
        (common.area() > 0.0).then_some(common)
    }

    /// Intersection over union, 0 to 1; 0 if the union is empty.
    pub fn iou(&self, other: &Rect) -> f32 {
        let common = self.intersection(other).map_or(0.0, |r| r.area());
        let union = self.area() + other.area() - common;
        if union > 0.0 { common / union } else { 0.0 }
    }

    /// The smallest box around both.
    pub(crate) fn hull(&self, other: &Rect) -> Rect {
        Rect {
            x0: self.x0.min(other.x0),
            y0: self.y0.min(other.y0),
            x1: self.x1.max(other.x1),
            y1: self.y1.max(other.y1),
        }
    }

    /// The box moved to the right and down by whole pixels.
    pub(crate) fn shift(self, (right, down): (u32, u32)) -> Rect {
        let (x, y) = (right as f32, down as f32);
        Rect { x0: self.x0 + x, y0: self.y0 + y, x1: self.x1 + x, y1: self.y1 + y }
    }

    /// Clamps every edge to `bounds`; empty (zero area) if the boxes do not touch.
    pub fn clip(&self, bounds: &Rect) -> Rect {
        let x0 = self.x0.max(bounds.x0).min(bounds.x1);
        let y0 = self.y0.max(bounds.y0).min(bounds.y1);
        let x1 = self.x1.min(bounds.x1).max(x0);
        let y1 = self.y1.min(bounds.y1).max(y0);
        Rect { x0, y0, x1, y1 }
    }

    /// Scales the box about its centre by `factor`. If `square`, both sides become `factor ·
    /// max(width, height)`.
    pub fn expand(&self, factor: f32, square: bool) -> Rect {
        let (cx, cy) = ((self.x0 + self.x1) / 2.0, (self.y0 + self.y1) / 2.0);
        let (mut w, mut h) = (self.width(), self.height());
        if square {
            w = w.max(h);
            h = w;
        }
        let (dx, dy) = (w * factor / 2.0, h * factor / 2.0);
        Rect { x0: cx - dx, y0: cy - dy, x1: cx + dx, y1: cy + dy }
    }
}

/// How a picture lies inside the square network input: scaled by `min(S/w, S/h)`, centred, padded with grey.
///
/// In both directions each axis uses the ratio of the resized side, a whole number of pixels, to the
/// picture's side, so that the edges of the picture and of the content map onto each other exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Letterbox {
    source: (u32, u32),
    size: u32,
    resized: (u32, u32),
    offset: (u32, u32),
}

impl Letterbox {
    /// Letterbox of a `width` × `height` picture in a `size` × `size` input.
    ///
    /// # Errors
    /// [`Error::Input`] if any of the three is zero.
    pub(crate) fn new(width: u32, height: u32, size: u32) -> Result<Self> {
        if width == 0 || height == 0 || size == 0 {
            let found = format!("{width}x{height} pixels into {size}x{size}");
            return Err(Error::input("letterbox", found, "sides of at least 1"));
        }
        let (w, h, s) = (f64::from(width), f64::from(height), f64::from(size));
        let scale = (s / w).min(s / h);
        let side = |length: f64| ((length * scale + 0.5).floor() as u32).clamp(1, size);
        let resized = (side(w), side(h));
        let offset = ((size - resized.0) / 2, (size - resized.1) / 2);
        Ok(Self { source: (width, height), size, resized, offset })
    }

    /// Maps a box from source pixels to input pixels.
    pub(crate) fn to_input(self, r: Rect) -> Rect {
        let map = |v: f32, from: u32, to: u32, offset: u32| {
            (f64::from(v) * f64::from(to) / f64::from(from) + f64::from(offset)) as f32
        };
        let x = |v| map(v, self.source.0, self.resized.0, self.offset.0);
        let y = |v| map(v, self.source.1, self.resized.1, self.offset.1);
        Rect { x0: x(r.x0), y0: y(r.y0), x1: x(r.x1), y1: y(r.y1) }
    }

    /// Maps a box from input pixels to source pixels, clipped to the picture.
    pub(crate) fn to_source(self, r: Rect) -> Rect {
        let map = |v: f32, from: u32, to: u32, offset: u32| {
            ((f64::from(v) - f64::from(offset)) * f64::from(from) / f64::from(to)) as f32
        };
        let x = |v| map(v, self.source.0, self.resized.0, self.offset.0);
        let y = |v| map(v, self.source.1, self.resized.1, self.offset.1);
        let picture = Rect { x0: 0.0, y0: 0.0, x1: self.source.0 as f32, y1: self.source.1 as f32 };
        Rect { x0: x(r.x0), y0: y(r.y0), x1: x(r.x1), y1: y(r.y1) }.clip(&picture)
    }

    /// The area that the picture covers, in input pixels.
    pub(crate) fn content(&self) -> Rect {
        let (x0, y0) = (self.offset.0 as f32, self.offset.1 as f32);
        Rect { x0, y0, x1: x0 + self.resized.0 as f32, y1: y0 + self.resized.1 as f32 }
    }

    /// Size of the resized picture in input pixels: (width, height).
    pub(crate) fn resized(&self) -> (u32, u32) {
        self.resized
    }

    /// Top left corner of the resized picture in input pixels: (x, y).
    pub(crate) fn offset(&self) -> (u32, u32) {
        self.offset
    }
}

#[cfg(test)]
#[path = "geometry_tests.rs"]
mod tests;
