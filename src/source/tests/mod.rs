//! Sources as callers see them: files and real sockets in, frames or errors out.

mod descriptions;
#[cfg(feature = "http")]
mod http;
mod live;
#[cfg(any(feature = "http", feature = "rtsp"))]
mod network;
mod pictures;
#[cfg(feature = "rtsp")]
mod rtsp;
#[cfg(feature = "http")]
mod tls;
