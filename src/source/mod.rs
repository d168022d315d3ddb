//! Where pictures come from: files, folders and glob patterns, decoded to RGB; cameras, recordings and pipes,
//! frame by frame.

mod animation;
mod avi;
mod container;
mod follow;
#[cfg_attr(not(feature = "http"), path = "http_absent.rs")]
pub mod http;
mod input;
mod jpeg;
mod kind;
mod live;
mod mjpeg;
mod network;
mod open;
mod options;
mod paths;
mod picture;
mod picture_files;
mod planes;
mod raw;
mod recording;
mod retry;
#[cfg_attr(not(feature = "rtsp"), path = "rtsp_absent.rs")]
pub mod rtsp;
mod stdin;
mod v4l2;
mod y4m;

pub use live::{CapturedFrame, Encoding, Live, Next};
pub use network::Patience;
pub use open::{open, shown};
pub use options::{SourceOption, SourceOptions};
pub use paths::expand;
pub use picture::Picture;
pub use raw::{Raw, pixel_format};
pub use retry::Retry;
pub use v4l2::{
    Camera, CameraControl, ControlKind, ControlValue, FourCc, Mode, NO_PERMISSION, Offer, Offers, Wish,
    cameras,
};

#[cfg(test)]
mod tests;
