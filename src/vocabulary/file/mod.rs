//! Vocabulary files, `*.vocab.safetensors`. The formats are described in `docs/architecture.md`.

mod parts;
mod read;
mod write;

use std::path::Path;

use super::words::Vocabulary;
use crate::error::{Error, Result};

/// Metadata value of `format`: one prompt for each name.
const FORMAT: &str = "edgeclip-vocab-1";
/// The same for names with any of words and examples.
const FORMAT_2: &str = "edgeclip-vocab-2";

impl Vocabulary {
    /// Reads a vocabulary file.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read, otherwise same as [`Vocabulary::from_bytes`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let unreadable = |error: std::io::Error| Error::input(&name, error.to_string(), "a vocabulary file");
        let bytes = std::fs::read(path).map_err(unreadable)?;
        Self::from_bytes(&name, &bytes)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod version2_tests;
