//! Annotated frames as numbered files; only the newest are kept.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::atomic_file::{AtomicFile, remove_uncommitted};
use super::picture::{LIVE_QUALITY, encode};
use super::{Painter, PictureKind, Sink};
use crate::error::{self, Error, Result};
use crate::report::FrameReport;

/// Prefix of all files of this sink.
const PREFIX: &str = "frame-";

/// Writes `frame-00000001.jpg`, `frame-00000002.jpg` and so on into a folder. The oldest are deleted.
/// Numbering continues where an earlier run ended, and its files count towards the limit.
pub(crate) struct Frames {
    name: String,
    folder: PathBuf,
    kind: PictureKind,
    most: NonZeroUsize,
    painter: Painter,
    files: BTreeMap<u64, PathBuf>,
    rgb: Vec<u8>,
}

impl Frames {
    /// Keeps at most `most` frames in `folder`, which is created if it does not exist.
    ///
    /// # Errors
    /// [`Error::Device`] if the folder cannot be created or read.
    pub(crate) fn new(
        folder: &Path,
        kind: PictureKind,
        most: NonZeroUsize,
        painter: Painter,
    ) -> Result<Self> {
        let name = folder.display().to_string();
        let read = || {
            fs::create_dir_all(folder)?;
            remove_uncommitted(folder)?;
            let entries = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
            Ok(entries.filter_map(|path| Some((number(&path)?, path))).collect())
        };
        let files = read().map_err(|source| Error::io(error::ErrorKind::Device, name.clone(), source))?;
        Ok(Self { name, folder: folder.to_owned(), kind, most, painter, files, rgb: Vec::new() })
    }

    fn save(&mut self, picture: &[u8]) -> std::io::Result<()> {
        let number = self.files.last_key_value().map_or(1, |(last, _)| last + 1);
        let extension = match self.kind {
            PictureKind::Png => "png",
            PictureKind::Jpeg => "jpg",
        };
        while self.files.len() >= self.most.get() {
            let Some(oldest) = self.files.first_entry() else { break };
            match fs::remove_file(oldest.get()) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => oldest.remove(),
            };
        }
        let path = self.folder.join(format!("{PREFIX}{number:08}.{extension}"));
        AtomicFile::write(&path, picture, false)?.commit()?;
        self.files.insert(number, path);
        Ok(())
    }
}

impl Sink for Frames {
    fn name(&self) -> &str {
        &self.name
    }

    fn wants_pictures(&self) -> bool {
        true
    }

    /// Reports without a picture are skipped.
    fn take(&mut self, report: &FrameReport) -> Result<()> {
        let Some(picture) = &report.picture else { return Ok(()) };
        self.rgb.clone_from(&picture.data);
        self.painter.annotate(&mut self.rgb, picture.width, picture.height, report);
        let (width, height) = (picture.width, picture.height);
        let file = encode(&self.name, self.kind, LIVE_QUALITY, &self.rgb, width, height)?;
        self.save(&file).map_err(|source| Error::io(error::ErrorKind::Device, self.name.clone(), source))
    }
}

/// The number in the name of one of this sink's files.
fn number(path: &Path) -> Option<u64> {
    PictureKind::of(path)?;
    let digits = path.file_stem()?.to_str()?.strip_prefix(PREFIX)?;
    let numeric = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| numeric)
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
