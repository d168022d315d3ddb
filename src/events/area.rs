//! Areas of a picture as the settings give them: a polygon by its corners, or a box.

use super::shape::Polygon;
use crate::error::{Error, Result};

/// Maximum number of corners: every pair of edges is compared.
const MAX_POINTS: usize = 1000;

/// The corners of the area, from `rect` (left, top, right, bottom) if it is given, else `points`.
pub(crate) fn corners(rect: Option<[f32; 4]>, points: &[[f32; 2]]) -> Vec<[f32; 2]> {
    match rect {
        Some([x0, y0, x1, y1]) => vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]],
        None => points.to_vec(),
    }
}

/// Validates the area of `of`, which is given by either.
///
/// # Errors
/// [`Error::Settings`] that names `of`.
pub(crate) fn check(of: &str, rect: Option<[f32; 4]>, points: &[[f32; 2]]) -> Result<()> {
    let wrong = |found: String, expected: &str| Err(Error::settings(of, found, expected));
    match rect {
        Some(_) if !points.is_empty() => wrong("points and a box".to_owned(), "one of them"),
        Some([x0, y0, x1, y1]) => {
            check_point(of, [x0, y0])?;
            check_point(of, [x1, y1])?;
            if x0 >= x1 || y0 >= y1 {
                let found = format!("the box [{x0}, {y0}, {x1}, {y1}]");
                return wrong(found, "left, top, right, bottom");
            }
            Ok(())
        }
        None => check_points(of, points),
    }
}

fn check_points(of: &str, points: &[[f32; 2]]) -> Result<()> {
    let wrong = |found: String, expected: &str| Err(Error::settings(of, found, expected));
    if points.len() < 3 || points.len() > MAX_POINTS {
        let expected = if points.len() < 3 { "at least 3" } else { "at most 1000" };
        return wrong(format!("{} points", points.len()), expected);
    }
    points.iter().try_for_each(|p| check_point(of, *p))?;
    let next = points.iter().cycle().skip(1);
    if let Some((p, _)) = points.iter().zip(next).find(|(a, b)| a == b) {
        let expected = "every corner once (the last is joined to the first)";
        return wrong(format!("[{}, {}] twice in a row", p[0], p[1]), expected);
    }
    match Polygon::new(points).self_intersection() {
        Some((i, j)) => {
            let found = format!("intersecting edges from points {} and {}", i + 1, j + 1);
            wrong(found, "a polygon that neither crosses nor touches itself")
        }
        None => Ok(()),
    }
}

/// Validates that a point of `of` is in fractions.
///
/// # Errors
/// [`Error::Settings`] that names `of`.
pub(super) fn check_point(of: &str, [x, y]: [f32; 2]) -> Result<()> {
    if (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y) {
        return Ok(());
    }
    let expected = "fractions of the picture from 0 to 1: pixels, divided by its width and height";
    Err(Error::settings(of, format!("the point [{x}, {y}]"), expected))
}
