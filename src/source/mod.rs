//! Where pictures come from: files, folders and glob patterns, decoded to RGB; cameras, frame by frame.

mod jpeg;
mod live;
mod paths;
mod picture;
mod stdin;
mod v4l2;

pub use live::{Encoding, Live, Next, Shot};
pub use paths::expand;
pub use picture::Picture;
pub use stdin::Pipe;
pub use v4l2::{Camera, FourCc, Mode, NO_PERMISSION, Offer, Offers, Wish, cameras};
