//! Replaces `onvif/` in builds without the feature `http`.

use crate::error::{Error, Result};

/// A camera that has answered: there is none.
#[derive(Debug)]
pub(crate) struct NetworkCamera {
    /// The address of its device service.
    pub service: String,
    /// What it calls itself.
    pub name: String,
    /// Its streams.
    pub streams: Result<Vec<Stream>>,
}

/// A stream of a camera.
#[derive(Debug)]
pub(crate) struct Stream {
    pub name: String,
    pub encoding: String,
    pub size: String,
    pub address: String,
}

/// Refuses: this build speaks no HTTP.
///
/// # Errors
/// Always [`Error::Settings`].
pub(crate) fn network_cameras(_: &str) -> Result<Vec<NetworkCamera>> {
    Err(Error::settings("--onvif", "a build without HTTP", "a build with the feature `http`"))
}
