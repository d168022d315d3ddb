//! Vocabulary files, `*.vocab.safetensors`. The formats are described in `docs/architecture.md`.

mod parts;
mod read;
mod write;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::prompts::MAX_PROMPTS;
use super::words::Vocabulary;
use crate::error::{Error, Result};

/// Metadata value of `format`: one prompt for each name.
const FORMAT: &str = "edgeclip-vocab-1";
/// The same for names with any of words and examples.
const FORMAT_2: &str = "edgeclip-vocab-2";
/// Longest file: twenty thousand rows of a kilobyte, their names and prompts, and as many negatives.
const MOST_BYTES: u64 = 128 << 20;

impl Vocabulary {
    /// Reads a vocabulary file.
    ///
    /// # Errors
    /// [`Error::Input`] if it cannot be read, otherwise same as [`Vocabulary::from_bytes`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let unreadable = |error: std::io::Error| Error::input(&name, error.to_string(), "a vocabulary file");
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MOST_BYTES {
            let expected = format!("at most {} MB, enough for {MAX_PROMPTS} prompts", MOST_BYTES >> 20);
            return Err(Error::input(&name, format!("more than {MOST_BYTES} bytes"), expected));
        }
        Self::from_bytes(&name, &bytes)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod version2_tests;
