//! In place of `rtsp/` in programs without the feature `rtsp`.

use super::live::Live;
use super::network::{Patience, without_secrets};
use crate::error::{Error, Result};

/// Refuses: this program was built without H.264 from IP cameras.
///
/// # Errors
/// Always [`Error::Settings`].
pub fn open(address: &str, _: Patience) -> Result<Box<dyn Live>> {
    let found = "an address of rtsp://, which this program was built without";
    Err(Error::settings(without_secrets(address), found, "a program with the feature `rtsp`"))
}
