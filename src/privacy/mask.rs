//! `[[mask]]`: an area that is black in every frame.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::events::{check_area, corners};

/// An area of a source's picture, in fractions of its width and height.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mask {
    /// What messages call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Corners `[x, y]` of a polygon that does not cross itself; empty if `box` is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<[f32; 2]>,
    /// A rectangle `[x0, y0, x1, y1]` instead of `points`.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub rect: Option<[f32; 4]>,
}

impl Mask {
    /// Validates it; `index` is its place among others, from 0, for messages.
    ///
    /// # Errors
    /// [`Error::Settings`] that names the mask.
    pub(crate) fn check(&self, index: usize) -> Result<()> {
        let is_bad = |name: &&String| name.trim().is_empty() || name.chars().any(char::is_control);
        if let Some(bad) = self.name.as_ref().filter(is_bad) {
            return Err(Error::settings("mask name", format!("{bad:?}"), "visible characters"));
        }
        let name = match &self.name {
            Some(name) => format!("mask \"{name}\""),
            None => format!("mask {}", index + 1),
        };
        check_area(&name, self.rect, &self.points)
    }

    /// Its corners.
    pub(super) fn corners(&self) -> Vec<[f32; 2]> {
        corners(self.rect, &self.points)
    }
}
