//! Replaces `rtsp/` in builds without the feature `rtsp`.

use super::live::Live;
use super::network::Patience;
use crate::error::{Error, Result, shown_address};

/// Refuses the address: this build has no H.264 over RTSP.
///
/// # Errors
/// Always [`Error::Settings`].
pub(crate) fn open(address: &str, _: Patience) -> Result<Box<dyn Live>> {
    let found = "an rtsp:// address, which this build does not support";
    Err(Error::settings(shown_address(address), found, "a build with the feature `rtsp`"))
}
