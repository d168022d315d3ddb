//! What no output may show: areas of the picture that are blackened before anything looks at it, and things in it
//! that are pixelated before any sink sees it.

mod mask;
mod masks;
mod mosaic;

pub(crate) use mask::Mask;
pub(crate) use masks::Masks;
pub(crate) use mosaic::{pixelate, with_margin};
