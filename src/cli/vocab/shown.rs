//! What is asked to be taken as examples: pictures, with what they show and where.

use std::path::PathBuf;

use crate::error::Result;
use crate::geometry::Rect;

/// A picture with what it shows, or why there is none.
pub(super) type Asked = Result<Shown>;

/// A picture with what it shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    /// The file.
    pub path: PathBuf,
    /// Width and height, if those who drew the boxes say so.
    pub size: Option<(u32, u32)>,
    /// What is on it.
    pub things: Vec<Thing>,
}

/// Something on a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Thing {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: Place,
}

/// Where something is on a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// In the box that holds something most certainly.
    Best,
    /// It fills the picture.
    Whole,
    /// In a box in pixels.
    Pixels(Rect),
    /// In a box in fractions of the picture's sides.
    Fractions(Rect),
}
