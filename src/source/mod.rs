//! Where pictures come from: files, folders and glob patterns, decoded to RGB.

mod jpeg;
mod paths;
mod picture;

pub use paths::expand;
pub use picture::Picture;
