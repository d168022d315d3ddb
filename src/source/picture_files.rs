//! Picture files as a container.

use std::path::PathBuf;
use std::vec::IntoIter;

use super::Picture;
use super::container::{Container, Cutout, Piece};
use super::limits;
use super::live::Encoding;
use crate::error::Result;
use crate::frame::PixelFormat;

/// A list of picture files, each decoded when its turn comes.
pub(super) struct PictureFiles {
    paths: IntoIter<Result<PathBuf>>,
    picture: Option<Picture>,
}

impl PictureFiles {
    /// Files in this order, or why there is none.
    pub(crate) fn new(paths: Vec<Result<PathBuf>>) -> Self {
        Self { paths: paths.into_iter(), picture: None }
    }
}

impl Container for PictureFiles {
    fn next(&mut self) -> Result<Piece<'_>> {
        let Some(path) = self.paths.next() else { return Ok(Piece::End) };
        // Two at a time would double the memory.
        self.picture = None;
        let limits = limits::current().for_frames();
        Ok(match path.and_then(|path| Picture::open_within(&path, &limits)) {
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
