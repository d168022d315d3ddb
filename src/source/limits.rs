//! How much memory a picture may take.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::system;

/// Most pixels of a picture; the size of larger ones is a mistake.
pub(super) const MAX_PIXELS: u64 = 100_000_000;
/// Bytes in a megabyte of the setting.
const MEGABYTE: u64 = 1 << 20;
/// Least and most megabytes by default.
const RANGE: (u64, u64) = (16, 400);
/// Frames of a source that exist at a time: in work, waiting, being read.
const FRAMES: u64 = 3;

/// The setting `max_picture_mb`; 0 until it is set.
static SETTING: AtomicU64 = AtomicU64::new(0);

/// Limits of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Most bytes of its pixels while it is decoded.
    pub bytes: u64,
    /// What that is in megabytes of the setting, for messages.
    megabytes: u64,
}

/// Sets the most megabytes that a picture may take while it is decoded, for the whole process: memory is the
/// process's as well.
pub(crate) fn set_max_picture_mb(megabytes: u64) {
    SETTING.store(megabytes, Ordering::Relaxed);
}

/// The limits that hold now: as they are set, else half of the memory that was available at the start, 16 to
/// 400 MB.
pub(super) fn current() -> Limits {
    static DEFAULT: OnceLock<u64> = OnceLock::new();
    let megabytes = match SETTING.load(Ordering::Relaxed) {
        0 => *DEFAULT.get_or_init(|| default_of(system::room(Path::new("/")))),
        set => set,
    };
    Limits::of(megabytes)
}

/// The default where `room` bytes are available.
fn default_of(room: Option<u64>) -> u64 {
    room.map_or(RANGE.1, |room| room / 2 / MEGABYTE).clamp(RANGE.0, RANGE.1)
}

impl Limits {
    pub(super) const fn of(megabytes: u64) -> Self {
        Self { bytes: megabytes.saturating_mul(MEGABYTE), megabytes }
    }

    /// The setting `max_picture_mb`.
    pub(super) fn megabytes(&self) -> u64 {
        self.megabytes
    }

    /// Limits for each of the pictures that a live source holds at a time.
    pub(super) fn for_frames(self) -> Self {
        Self { bytes: self.bytes / FRAMES, ..self }
    }

    /// Refuses a picture of this size whose decoding takes this many bytes.
    ///
    /// # Errors
    /// What was found and expected.
    pub(super) fn check(
        &self,
        (width, height): (u32, u32),
        bytes: u64,
    ) -> std::result::Result<(), (String, String)> {
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > MAX_PIXELS {
            return Err((format!("{width}x{height} pixels"), format!("1 to {MAX_PIXELS} pixels")));
        }
        if bytes > self.bytes {
            let found =
                format!("{width}x{height} pixels, which take {} MB to decode", bytes.div_ceil(MEGABYTE));
            return Err((found, self.advice()));
        }
        Ok(())
    }

    /// What to do about a picture that takes too much.
    pub(super) fn advice(&self) -> String {
        let Self { bytes, megabytes } = self;
        format!(
            "at most {} MB (max_picture_mb = {megabytes}): a smaller picture, or a higher limit",
            bytes / MEGABYTE
        )
    }

    /// Same as [`Limits::check`], as an error of the picture `name`.
    ///
    /// # Errors
    /// [`Error::Input`]
    pub(super) fn check_named(&self, name: &str, size: (u32, u32), bytes: u64) -> Result<()> {
        self.check(size, bytes).map_err(|(found, expected)| Error::input(name, found, expected))
    }

    /// The same for the decoders of `image`, which may take `most` bytes besides their output.
    pub(super) fn of_image(&self, most: u64) -> image::Limits {
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(self.bytes.min(most));
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_half_of_the_room() {
        let mb = |mb: u64| Some(mb * MEGABYTE);
        let defaults = [None, mb(10), mb(430), mb(100_000)].map(default_of);
        assert_eq!(defaults, [400, 16, 215, 400]);
    }

    #[test]
    fn sizes_and_bytes_are_bounded_and_the_setting_is_named() {
        let limits = Limits::of(30);
        assert_eq!(limits.check((1000, 1000), 3_000_000), Ok(()));
        assert_eq!(limits.check((0, 5), 0).unwrap_err().0, "0x5 pixels");
        assert_eq!(limits.check((60_000, 60_000), 0).unwrap_err().1, "1 to 100000000 pixels");
        let (found, expected) = limits.check((4000, 4000), 48_000_000).unwrap_err();
        assert_eq!(found, "4000x4000 pixels, which take 46 MB to decode");
        assert_eq!(expected, "at most 30 MB (max_picture_mb = 30): a smaller picture, or a higher limit");
        assert_eq!(limits.for_frames().bytes, limits.bytes / 3);
    }
}
