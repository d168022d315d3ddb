//! Cameras on real sockets, and what waits for their frames.

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "rtsp")]
pub mod rtsp;
#[cfg(feature = "rtsp")]
pub mod squares;
pub mod watch;
