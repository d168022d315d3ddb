//! Vocabulary files, `*.vocab.safetensors`. The formats are described in `docs/architecture.md`.

mod parts;
mod read;
mod write;

use std::fs::File;
use std::path::Path;

use super::prompts::MAX_PROMPTS;
use super::words::Vocabulary;
use crate::error::{Error, Result};
use crate::system::Affordable;

/// Metadata value of `format`: one prompt for each name.
const FORMAT: &str = "edgeclip-vocab-1";
/// The same for names with any of words and examples.
const FORMAT_2: &str = "edgeclip-vocab-2";
/// Longest file: twenty thousand rows of a kilobyte, their names and prompts, and as many negatives.
const MOST_BYTES: u64 = 128 << 20;
/// Memory that a file takes while it is read, in files: its bytes, its parts, the vocabulary.
const COPIES: u64 = 3;

impl Vocabulary {
    /// Reads a vocabulary file.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read, otherwise same as [`Vocabulary::from_bytes`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let unreadable = |error: std::io::Error| Error::input(&name, error.to_string(), "a vocabulary file");
        let file = File::open(path).map_err(unreadable)?;
        let bytes = Self::read_file(file).map_err(unreadable)?;
        Self::from_bytes(
            &name,
            &bytes.map_err(|expected| Error::input(&name, "a longer file than that", expected))?,
        )
    }

    /// The bytes of a vocabulary file, or what was expected if it has more than one may have.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn read_file(file: File) -> std::io::Result<std::result::Result<Vec<u8>, String>> {
        let most = Affordable::new(MOST_BYTES, COPIES);
        let enough = if most.bytes == MOST_BYTES {
            format!(", enough for {MAX_PROMPTS} prompts")
        } else {
            String::new()
        };
        Ok(most.read(file)?.ok_or_else(|| most.expected() + &enough))
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod version2_tests;
