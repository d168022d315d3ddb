//! Picture files as a container.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec::IntoIter;

use super::apart::Here;
use super::container::{Container, Cutout, Piece};
use super::limits;
use super::live::{Decode, Encoding};
use super::picture::{Picture, read};
use crate::error::Result;
use crate::frame::PixelFormat;

/// A list of picture files, each decoded when its turn comes.
pub(super) struct PictureFiles {
    paths: IntoIter<Result<PathBuf>>,
    picture: Option<Picture>,
    decoder: Arc<dyn Decode>,
}

impl PictureFiles {
    /// Files in this order, or why there is none.
    pub(crate) fn new(paths: Vec<Result<PathBuf>>) -> Self {
        Self { paths: paths.into_iter(), picture: None, decoder: Arc::new(Here) }
    }

    /// Leaves the decoding to somebody else.
    pub(super) fn decode_with(self, decoder: Arc<dyn Decode>) -> Self {
        Self { decoder, ..self }
    }

    fn open(&self, path: &Path) -> Result<Picture> {
        let name = path.display().to_string();
        let (bytes, _) = read(path, &name, &limits::current().for_frames())?;
        self.decoder.decode(name, &bytes)
    }
}

impl Container for PictureFiles {
    fn next(&mut self) -> Result<Piece<'_>> {
        let Some(path) = self.paths.next() else { return Ok(Piece::End) };
        // Two at a time would double the memory.
        self.picture = None;
        Ok(match path.and_then(|path| self.open(&path)) {
            Ok(picture) => Piece::Frame(cutout(self.picture.insert(picture))),
            Err(error) => Piece::Broken(error.to_string()),
        })
    }
}

/// A picture as a frame.
pub(super) fn cutout(picture: &Picture) -> Cutout<'_> {
    let Picture { width, height, ref data, .. } = *picture;
    let encoding = Encoding::Raw { width, height, stride: width as usize * 3, format: PixelFormat::Rgb8 };
    Cutout { bytes: data, encoding, time: None }
}
