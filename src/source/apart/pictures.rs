//! Pictures of a command line, and those that others send.

use std::path::Path;
use std::sync::Arc;

use super::decoder::Decoder;
use super::message::Ask;
use super::{orders, program};
use crate::error::Result;
use crate::source::limits;
use crate::source::live::Decode;
use crate::source::picture::{self, Picture};

/// Opens pictures, each of which may crash, fill or tie up its decoder: it costs that picture alone.
pub(crate) struct Pictures(Option<Arc<dyn Decode>>);

impl Pictures {
    /// Splits the decoder off this process, which has one thread so far.
    pub(crate) fn start() -> Self {
        Self(program::is_own().then(|| Arc::new(Decoder::fork(orders::pictures(), Ask::Picture)) as _))
    }

    /// The same for a program with threads: the decoder is started with the first picture.
    #[cfg(feature = "serve")]
    pub(crate) fn later() -> Self {
        Self(program::is_named().then(|| Arc::new(Decoder::new(orders::pictures(), Ask::Picture)) as _))
    }

    /// Same as [`Picture::open`].
    ///
    /// # Errors
    /// Same as those of [`Picture::open`], and if the decoder dies of it.
    pub(crate) fn open(&self, path: &Path) -> Result<Picture> {
        let Some(decoder) = &self.0 else { return Picture::open(path) };
        let name = path.display().to_string();
        let (bytes, _) = picture::read(path, &name, &limits::current())?;
        decoder.decode(name, &bytes)
    }

    /// Same as [`Picture::decode`].
    ///
    /// # Errors
    /// Same as those of [`Picture::decode`], and if the decoder dies of it.
    pub(crate) fn decode(&self, name: String, bytes: &[u8]) -> Result<Picture> {
        match &self.0 {
            Some(decoder) => decoder.decode(name, bytes),
            None => Picture::decode(name, bytes),
        }
    }
}
