//! The only room that knows every other.

mod detect;

pub use detect::{Encoded, Findings, Pipeline};
