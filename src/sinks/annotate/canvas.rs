//! Draw targets: a borrowed RGB picture, and an adapter that draws every pixel as a square block.

use std::convert::Infallible;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

/// A picture of three bytes per pixel. Nothing is drawn outside of it.
pub(crate) struct Canvas<'a> {
    rgb: &'a mut [u8],
    size: Size,
}

impl<'a> Canvas<'a> {
    /// `rgb` holds `width · height` pixels of three bytes; missing rows are skipped.
    pub(crate) fn new(rgb: &'a mut [u8], width: u32, height: u32) -> Self {
        Self { rgb, size: Size::new(width, height) }
    }
}

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> Size {
        self.size
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, colour) in pixels {
            if (0..self.size.width as i32).contains(&x) && (0..self.size.height as i32).contains(&y) {
                let start = (y as usize * self.size.width as usize + x as usize) * 3;
                if let Some(pixel) = self.rgb.get_mut(start..start + 3) {
                    pixel.copy_from_slice(&[colour.r(), colour.g(), colour.b()]);
                }
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb888) -> Result<(), Infallible> {
        let area = area.intersection(&self.bounding_box());
        let pixel = [colour.r(), colour.g(), colour.b()];
        let (left, width) = (area.top_left.x as usize * 3, area.size.width as usize * 3);
        let stride = self.size.width as usize * 3;
        for y in area.rows() {
            let start = y as usize * stride + left;
            let row = self.rgb.get_mut(start..start + width).unwrap_or_default();
            row.as_chunks_mut().0.fill(pixel);
        }
        Ok(())
    }
}

/// Draws onto `target` with every pixel as a block of `factor` × `factor`, the origin at `origin`.
pub(crate) struct Enlarged<'a, D> {
    /// Where blocks go.
    pub target: &'a mut D,
    /// Pixel of `target` where the first block begins.
    pub origin: Point,
    /// Side of a block in pixels.
    pub factor: u32,
}

impl<D: DrawTarget> Dimensions for Enlarged<'_, D> {
    fn bounding_box(&self) -> Rectangle {
        let area = self.target.bounding_box();
        let factor = self.factor.max(1);
        Rectangle::new((area.top_left - self.origin) / factor as i32, area.size / factor)
    }
}

impl<D: DrawTarget> DrawTarget for Enlarged<'_, D> {
    type Color = D::Color;
    type Error = D::Error;

    fn draw_iter<I: IntoIterator<Item = Pixel<D::Color>>>(&mut self, pixels: I) -> Result<(), D::Error> {
        let factor = self.factor as i32;
        for Pixel(point, colour) in pixels {
            let block = Rectangle::new(self.origin + point * factor, Size::new_equal(self.factor));
            self.target.fill_solid(&block, colour)?;
        }
        Ok(())
    }
}
