//! `--mask`

use crate::error::{Error, Result};
use crate::privacy::Mask;

/// Reads `x0,y0,x1,y1`, a box, or the corners of a polygon, `x,y,x,y,x,y…`; either may follow `NAME=`. Ranges are
/// checked later, with those of the file.
///
/// # Errors
/// [`Error::Settings`] if there are no such numbers.
pub(crate) fn mask(text: &str) -> Result<Mask> {
    let (name, corners) = match text.rsplit_once('=') {
        Some((name, corners)) => (Some(name.trim().to_owned()), corners),
        None => (None, text),
    };
    let numbers: Option<Vec<f32>> = corners.split(',').map(|part| part.trim().parse().ok()).collect();
    let numbers = numbers.unwrap_or_default();
    match (numbers.as_slice(), numbers.as_chunks::<2>()) {
        (&[x0, y0, x1, y1], _) => Ok(Mask { name, points: Vec::new(), rect: Some([x0, y0, x1, y1]) }),
        (_, (points, [])) if points.len() > 2 => Ok(Mask { name, points: points.to_vec(), rect: None }),
        _ => {
            let expected =
                "x0,y0,x1,y1, or the corners x,y of a polygon, in fractions of the picture, 0 to 1";
            Err(Error::settings("--mask", text, expected))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_a_box_or_a_polygon_with_or_without_a_name() {
        let boxed = mask("0, 0, 0.5, 1").unwrap();
        assert_eq!((boxed.name, boxed.rect), (None, Some([0.0, 0.0, 0.5, 1.0])));
        let named = mask("street = 0,0,1,0,0.5,0.25").unwrap();
        assert_eq!((named.name.as_deref(), named.rect), (Some("street"), None));
        assert_eq!(named.points, [[0.0, 0.0], [1.0, 0.0], [0.5, 0.25]]);
        for wrong in ["", "street", "0,0,1", "0,0,1,1,1", "0,0,1,1,1,x", "a=0,0"] {
            let error = mask(wrong).unwrap_err().to_string();
            assert!(error.starts_with("--mask: found ") && error.contains("x0,y0,x1,y1"), "{error}");
        }
    }
}
