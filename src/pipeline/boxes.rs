//! Boxes that the user gives, checked against their picture.

use crate::error::{Error, Result};
use crate::geometry::Rect;

/// `rect` clipped to a picture of `width` × `height` pixels; `name` is for errors.
///
/// # Errors
/// [`Error::Settings`] if it is inverted, empty, outside the picture, or has a value that is not finite.
pub(crate) fn clipped(name: &str, rect: Rect, width: u32, height: u32) -> Result<Rect> {
    let picture = Rect { x0: 0.0, y0: 0.0, x1: width as f32, y1: height as f32 };
    let Rect { x0, y0, x1, y1 } = rect;
    let proper = [x0, y0, x1, y1].iter().all(|v| v.is_finite()) && x0 < x1 && y0 < y1;
    proper.then(|| rect.intersection(&picture)).flatten().ok_or_else(|| {
        let expected = format!("x0 < x1 and y0 < y1 inside {width}x{height} pixels");
        Error::settings(name, format!("[{x0}, {y0}, {x1}, {y1}]"), expected)
    })
}
