//! Where pictures come from: files, folders and glob patterns, decoded to RGB; cameras, frame by frame.

#[cfg_attr(not(feature = "http"), path = "http_absent.rs")]
pub mod http;
mod jpeg;
mod live;
mod network;
mod paths;
mod picture;
#[cfg_attr(not(feature = "rtsp"), path = "rtsp_absent.rs")]
pub mod rtsp;
mod stdin;
mod v4l2;

pub use live::{Encoding, Live, Next, Shot};
pub use network::Patience;
pub use paths::expand;
pub use picture::Picture;
pub use stdin::Pipe;
pub use v4l2::{Camera, FourCc, Mode, NO_PERMISSION, Offer, Offers, Wish, cameras};
