//! Containers: they split bytes into frames.

use std::time::Duration;

use super::live::Encoding;
use crate::error::Result;

/// Splits the bytes of a file or pipe into frames, or a folder into pictures.
pub(super) trait Container: Send {
    /// The next piece; may block until bytes arrive.
    ///
    /// # Errors
    /// The input cannot be read, or has another format.
    fn next(&mut self) -> Result<Piece<'_>>;
}

/// What a container holds next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A frame.
    Frame(Cutout<'a>),
    /// Bytes that are not a whole frame: why.
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
    /// Which of the two, and how pixels are laid out.
    pub encoding: Encoding,
    /// Presentation time from the container's start, if the container has times.
    pub time: Option<Duration>,
}

/// What is found in a source without a byte.
pub(super) const NOTHING: &str = "nothing";

/// Broken parts of a source so far.
#[derive(Debug, Default)]
pub(super) struct Broken {
    count: u64,
    /// Why the last was broken.
    why: String,
}

impl Broken {
    pub(crate) fn add(&mut self, why: &str) {
        self.count += 1;
        why.clone_into(&mut self.why);
    }

    /// What was found in a source without any frame.
    pub(crate) fn instead_of_frames(&self) -> String {
        match self {
            Self { count: 0, .. } => NOTHING.to_owned(),
            Self { count: 1, why } => format!("no whole frame (1 broken: {why})"),
            Self { count, why } => format!("no whole frame ({count} broken, the last: {why})"),
        }
    }
}

/// Presentation time of frame `index` at `rate` frames in `scale` seconds.
pub(super) fn time_of(index: u64, rate: u32, scale: u32) -> Option<Duration> {
    let nanoseconds = u128::from(index) * u128::from(scale) * 1_000_000_000;
    let nanoseconds = nanoseconds.checked_div(u128::from(rate))?;
    Some(Duration::from_nanos(u64::try_from(nanoseconds).ok()?))
}

/// `1 byte`, `2 bytes`
pub(super) fn bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_owned() } else { format!("{count} bytes") }
}
