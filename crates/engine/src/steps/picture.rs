//! What one pass starts from.

use std::borrow::Cow;

/// The network's input.
#[derive(Debug)]
pub(crate) struct Picture<'a> {
    /// As the first buffer holds it, but in planes; `None` if no node quantises the picture itself.
    pub(crate) quantised: Option<Cow<'a, [i8]>>,
    /// As it is, if it is in float.
    pub(crate) float: &'a [f32],
}
