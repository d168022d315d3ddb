//! The rows of a JPEG picture that are there, whatever its header states.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use super::EXPECTED;
use crate::error::{Error, Result};
use crate::source::jpeg::Extent;

/// So many are told one by one; a camera may send one with each frame.
const TOLD: u64 = 4;

/// `file` with the height that its data has: what its header states beyond that is not decoded, and told.
///
/// # Errors
/// [`Error::Input`] if not one row is there.
pub(super) fn as_there<'a>(name: &str, file: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>> {
    let Some(extent) = Extent::of(&file) else { return Ok(file) };
    let Extent { stated, there, .. } = extent;
    if there == 0 {
        let found = format!("a picture cut short (a header for {stated} rows, and data for none)");
        return Err(Error::input(name, found, EXPECTED));
    }
    let Some(corrected) = extent.corrected(&file) else { return Ok(file) };
    static SEEN: AtomicU64 = AtomicU64::new(0);
    let seen = SEEN.fetch_add(1, Ordering::Relaxed) + 1;
    // A height that stands behind the scan is where it may be.
    if stated > 0 && (seen <= TOLD || seen.is_power_of_two()) {
        tracing::warn!(
            "{name}: a header for {stated} rows of pixels, and data for {there}: looked at as {there} rows"
        );
    }
    Ok(Cow::Owned(corrected))
}
