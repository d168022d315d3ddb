//! Cameras on real sockets, and what waits for their frames.

#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(feature = "rtsp")]
pub(crate) mod rtsp;
#[cfg(feature = "rtsp")]
pub(crate) mod squares;
pub(crate) mod watch;
