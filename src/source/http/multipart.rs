//! Streams of `multipart/x-mixed-replace` (RFC 2046, section 5.1), as cameras send them: often not quite as
//! specified.

use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

use super::super::jpeg::{Cutter, Step};

/// Bytes per read.
const CHUNK: usize = 64 << 10;

/// The boundary of a content type such as `multipart/x-mixed-replace; boundary="frame"`; empty if it has none.
pub(in crate::source) fn boundary(content_type: &str) -> String {
    let parameter = content_type.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("boundary").then_some(value)
    });
    // Many cameras include the leading dashes in the boundary.
    parameter.unwrap_or_default().trim().trim_matches('"').trim_start_matches('-').to_owned()
}

/// One part of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::source) enum Part {
    /// A whole JPEG file.
    Picture(Vec<u8>),
    /// Not a picture: why.
    Broken(String),
    /// Nothing in time.
    Nothing,
    /// The stream has ended.
    End,
}

/// A stream, split into its parts.
pub(in crate::source) struct Parts<R> {
    input: R,
    cutter: Cutter,
    /// Bytes that have been read but not consumed, from `taken` on.
    held: Vec<u8>,
    taken: usize,
    ended: bool,
    /// When bytes came last.
    heard: Instant,
    chunk: Vec<u8>,
}

impl<R: Read> Parts<R> {
    /// The parts of `input`, which should be separated by `boundary`.
    pub(crate) fn new(input: R, boundary: &str) -> Self {
        let cutter = Cutter::joining(boundary);
        Self {
            input,
            cutter,
            held: Vec::new(),
            taken: 0,
            ended: false,
            heard: Instant::now(),
            chunk: vec![0; CHUNK],
        }
    }

    /// How long no bytes have come.
    pub(crate) fn silence(&self) -> Duration {
        self.heard.elapsed()
    }

    /// The next part, for at most `patience` or as long as one read takes.
    ///
    /// # Errors
    /// Same as the input's, unless it only has nothing yet.
    pub(crate) fn next(&mut self, patience: Duration) -> io::Result<Part> {
        let start = Instant::now();
        loop {
            let held = self.held.get(self.taken..).unwrap_or_default();
            match self.cutter.step(held, self.ended) {
                Step::More(0) => {
                    if !self.more()? || start.elapsed() >= patience && !self.ended {
                        return Ok(Part::Nothing);
                    }
                }
                Step::More(dropped) => self.taken += dropped,
                Step::Picture(length) => {
                    let picture = held.get(..length).unwrap_or_default().to_vec();
                    self.taken += length;
                    return Ok(Part::Picture(picture));
                }
                Step::Repaired(picture, length) => {
                    self.taken += length;
                    return Ok(Part::Picture(picture));
                }
                Step::Broken(dropped, why) => {
                    self.taken += dropped;
                    return Ok(Part::Broken(why));
                }
                Step::End => return Ok(Part::End),
            }
        }
    }

    /// Reads more, or notes the end; `false` if there is nothing yet.
    fn more(&mut self) -> io::Result<bool> {
        self.held.drain(..self.taken.min(self.held.len()));
        self.taken = 0;
        match self.input.read(&mut self.chunk) {
            Ok(count) => {
                self.held.extend_from_slice(self.chunk.get(..count).unwrap_or_default());
                self.ended = count == 0;
                self.heard = Instant::now();
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
