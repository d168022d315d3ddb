//! In place of `http/` in programs without the feature `http`.

use super::live::Live;
use super::network::{Patience, without_secrets};
use crate::error::{Error, Result};

/// Refuses: this program was built without Motion JPEG from IP cameras.
///
/// # Errors
/// Always [`Error::Settings`].
pub fn open(address: &str, _: Option<u32>, _: Patience) -> Result<Box<dyn Live>> {
    let found = "an address of http://, which this program was built without";
    Err(Error::settings(without_secrets(address), found, "a program with the feature `http`"))
}
