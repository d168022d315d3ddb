//! Small pictures of examples beside a vocabulary file, kept on request: another model can embed them again.

use std::ffi::OsString;

use image::RgbImage;
use image::imageops::{FilterType, resize};

use super::super::file::VocabularyFile;
use super::take::Taken;
use crate::error::{Error, ErrorKind, Result};
use crate::sinks::{AtomicFile, PRIVATE, PictureKind, encode_picture};
use crate::system::Folder;

/// Longest side of a crop in pixels: no model of ours sees more of a box.
const SIDE: u32 = 320;

/// Crops that were written, and can be removed again.
pub(super) struct Crops {
    folder: Folder,
    names: Vec<OsString>,
}

impl Crops {
    /// Writes the crop of each example that is not there yet.
    ///
    /// # Errors
    /// [`Error::Device`], for example if the disk is full.
    pub(super) fn write(file: &VocabularyFile, taken: &[Taken]) -> Result<Self> {
        let place = file.crops();
        let shown = place.display().to_string();
        let io = |source| Error::io(ErrorKind::Device, &shown, source);
        let mut crops = Self { folder: Folder::make(&place).map_err(io)?, names: Vec::new() };
        for example in taken {
            let name = OsString::from(format!("{}.jpg", example.origin.id));
            if crops.folder.about(&name).map_err(io)?.is_some() {
                continue;
            }
            let (pixels, width, height) = &example.crop;
            let jpeg = jpeg(&shown, pixels, *width, *height)?;
            let written = AtomicFile::write(&crops.folder, &jpeg, PRIVATE, false);
            if let Err(source) = written.and_then(|file| file.commit(&name)) {
                let error = io(source);
                crops.remove();
                return Err(error);
            }
            crops.names.push(name);
        }
        Ok(crops)
    }

    /// Takes back what was written: the examples were not.
    pub(super) fn remove(self) {
        for name in &self.names {
            // What cannot be removed is of no harm.
            let _ = self.folder.remove(name);
        }
    }
}

fn jpeg(shown: &str, pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let picture = RgbImage::from_raw(width, height, pixels.to_vec());
    let picture = picture.ok_or_else(|| Error::bug("a crop of another size"))?;
    let longest = width.max(height);
    let side = |side: u32| (u64::from(side) * u64::from(SIDE) / u64::from(longest)).max(1) as u32;
    let small = if longest > SIDE {
        resize(&picture, side(width), side(height), FilterType::Triangle)
    } else {
        picture
    };
    encode_picture(shown, PictureKind::Jpeg, small.as_raw(), small.width(), small.height())
}
