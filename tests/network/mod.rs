//! Cameras on the loopback that do what a test tells them, faults included.

pub mod http;
pub mod rtsp;
pub mod watch;
