//! Replaces `http/` in builds without the feature `http`.

use std::path::Path;

use super::live::Live;
use super::network::Patience;
use crate::error::{Error, Result, shown_address};

/// Refuses the address: this build has no Motion JPEG over HTTP.
///
/// # Errors
/// Always [`Error::Settings`].
pub(crate) fn open(address: &str, _: Option<u32>, _: Patience, _: Option<&Path>) -> Result<Box<dyn Live>> {
    let found = "an http:// address, which this build does not support";
    Err(Error::settings(shown_address(address), found, "a build with the feature `http`"))
}
