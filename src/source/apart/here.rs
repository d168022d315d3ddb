//! Network sources in the process that asks for them.

use crate::error::Result;
use crate::source::live::Live;
use crate::source::network::Patience;
use crate::source::{http, rtsp};

/// Opens the camera at `address`; a single picture is fetched `fps` times per second.
///
/// # Errors
/// Same as those of [`rtsp::open`] and [`http::open`].
pub(super) fn here(address: &str, fps: Option<u32>) -> Result<Box<dyn Live>> {
    if is_of(address, "rtsp") {
        return rtsp::open(address, Patience::default());
    }
    http::open(address, fps, Patience::default())
}

/// Whether an address has this scheme, or this one with TLS.
pub(super) fn is_of(address: &str, scheme: &str) -> bool {
    let found = address.split_once("://").map(|(found, _)| found.to_ascii_lowercase());
    found.is_some_and(|found| found.strip_suffix('s').unwrap_or(&found) == scheme)
}
