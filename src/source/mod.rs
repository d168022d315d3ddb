//! Where pictures come from: files, folders and glob patterns, decoded to RGB; cameras, recordings and pipes,
//! frame by frame.

mod about;
mod animation;
pub(crate) mod apart;
mod avi;
mod container;
mod exec;
mod follow;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg_attr(not(feature = "http"), path = "http_absent.rs")]
pub(crate) mod http;
mod input;
mod jpeg;
mod jpeg_frames;
mod kind;
mod limits;
mod live;
mod mjpeg;
mod network;
#[cfg_attr(not(feature = "http"), path = "onvif_absent.rs")]
mod onvif;
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
pub(crate) mod rtsp;
mod stdin;
mod suspects;
mod v4l2;
mod y4m;

pub(crate) use exec::is_program;
pub(crate) use limits::set_max_picture_mb;
pub use live::{CapturedFrame, Encoding, Live, Next};
pub(crate) use network::Destination;
pub(crate) use onvif::{NetworkCamera, network_cameras};
pub(crate) use open::{check, open, shown};
pub(crate) use options::{SourceOption, SourceOptions};
pub(crate) use paths::{expand, is_called_picture};
pub use picture::Picture;
pub(crate) use raw::{Raw, pixel_format};
pub(crate) use retry::Retry;
pub(crate) use suspects::{Suspects, make_state as make_followed_state, state as followed_state};
pub(crate) use v4l2::{Camera, ControlValue, FourCc, NO_PERMISSION, Offer, Offers, Wish, cameras};

#[cfg(test)]
mod tests;
