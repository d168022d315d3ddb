//! What every container does: it cuts bytes into frames.

use std::time::Duration;

use super::live::Encoding;
use crate::error::Result;

/// Cuts bytes of a file or pipe into frames, or files of a folder into pictures.
pub(super) trait Container: Send {
    /// The next piece; it may wait for bytes.
    ///
    /// # Errors
    /// The input cannot be read, or is not what this container cuts.
    fn next(&mut self) -> Result<Piece<'_>>;
}

/// What a container holds next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A frame.
    Frame(Cutout<'a>),
    /// What is no whole frame: why.
    Broken(String),
    /// Nothing yet.
    Nothing,
    /// Nothing more.
    End,
}

/// One frame in a container.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cutout<'a> {
    /// Pixels or a JPEG.
    pub bytes: &'a [u8],
    /// Which of these.
    pub encoding: Encoding,
    /// When it is shown, counted from the container's beginning, where the container says.
    pub time: Option<Duration>,
}

/// Place of frame `index` at `rate` frames in `scale` seconds.
pub(super) fn time_of(index: u64, rate: u32, scale: u32) -> Option<Duration> {
    let nanoseconds = u128::from(index) * u128::from(scale) * 1_000_000_000;
    let nanoseconds = nanoseconds.checked_div(u128::from(rate))?;
    Some(Duration::from_nanos(u64::try_from(nanoseconds).ok()?))
}

/// `1 byte`, `2 bytes`
pub(super) fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}
