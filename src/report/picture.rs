//! The result for one still picture.

use std::sync::Arc;

use super::Findings;

/// What was found in one still picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PictureReport<'a> {
    /// The picture's path as the user gave it.
    pub path: &'a str,
    /// Width of the picture in pixels.
    pub width: u32,
    /// Height of the picture in pixels.
    pub height: u32,
    /// All names of the vocabulary, in its order, which decides their colours.
    pub names: &'a [Arc<str>],
    /// What reaches its threshold.
    pub findings: &'a Findings,
}
