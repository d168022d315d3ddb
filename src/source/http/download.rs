//! A single picture over HTTP.

use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

use super::super::jpeg::{Cutter, LONGEST, Step};
use super::super::kind::{self, FileKind};

/// Bytes per read.
const CHUNK: usize = 64 << 10;

/// A picture that is being read: up to its end, not for as long as its length says.
pub(super) struct Download<R> {
    input: R,
    /// Its length in bytes, as the server states it.
    length: Option<u64>,
    held: Vec<u8>,
    /// Bytes in front that were dropped.
    dropped: u64,
    cutter: Cutter,
    chunk: Vec<u8>,
}

/// What has come of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Picture(Vec<u8>),
    /// No picture: why.
    Broken(String),
    /// Not all of it yet.
    Nothing,
}

impl<R: Read> Download<R> {
    pub(crate) fn new(input: R, length: Option<u64>) -> Self {
        let cutter = Cutter::joining("");
        Self { input, length, held: Vec::new(), dropped: 0, cutter, chunk: vec![0; CHUNK] }
    }

    /// Reads on, for at most `patience` or as long as one read takes.
    ///
    /// # Errors
    /// Same as the input's, unless it only has nothing yet or enough has come.
    pub(crate) fn next(&mut self, patience: Duration) -> io::Result<Outcome> {
        let start = Instant::now();
        loop {
            let ended = match self.input.read(&mut self.chunk) {
                Ok(count) => {
                    self.held.extend_from_slice(self.chunk.get(..count).unwrap_or_default());
                    count == 0
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => false,
                // A server that keeps the connection open may have sent all that it promised.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    let come = self.dropped + self.held.len() as u64;
                    if self.length.is_none_or(|length| come < length) {
                        return Ok(Outcome::Nothing);
                    }
                    true
                }
                Err(error) if self.held.is_empty() => return Err(error),
                Err(_) => true,
            };
            match self.look(ended) {
                Outcome::Nothing if start.elapsed() < patience => {}
                outcome => return Ok(outcome),
            }
        }
    }

    fn look(&mut self, ended: bool) -> Outcome {
        if matches!(kind::of(&self.held), FileKind::Png | FileKind::WebP | FileKind::Gif | FileKind::Bmp) {
            return match (ended, self.held.len() > LONGEST) {
                (_, true) => Outcome::Broken(format!("a picture of more than {LONGEST} bytes")),
                (true, _) => Outcome::Picture(std::mem::take(&mut self.held)),
                _ => Outcome::Nothing,
            };
        }
        let come = self.held.len();
        loop {
            match self.cutter.step(&self.held, ended) {
                Step::More(0) => return Outcome::Nothing,
                Step::More(count) => {
                    self.held.drain(..count);
                    self.dropped += count as u64;
                }
                Step::Picture(length) => {
                    self.held.truncate(length);
                    return Outcome::Picture(std::mem::take(&mut self.held));
                }
                Step::Repaired(picture, _) => return Outcome::Picture(picture),
                Step::Broken(_, why) => return Outcome::Broken(why),
                Step::End => return Outcome::Broken(format!("{come} bytes that are not JPEG")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 4, 7, 7, 0xff, 0xda, 0, 2, 7, 0xff, 0, 9, 0xff, 0xd9];

    /// Bytes, then silence.
    struct Open<'a>(&'a [u8]);

    impl Read for Open<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { self.0.read(into) }
        }
    }

    fn outcome(input: impl Read, length: Option<u64>) -> Outcome {
        Download::new(input, length).next(Duration::from_secs(9)).unwrap()
    }

    #[test]
    fn a_picture_ends_where_it_ends_whatever_its_length_should_be() {
        let picture = Outcome::Picture(SMALL.to_vec());
        for length in [None, Some(3), Some(18), Some(500), Some(u64::MAX)] {
            assert_eq!(outcome(SMALL, length), picture, "{length:?}");
            assert_eq!(outcome(Open(SMALL), length), picture, "{length:?}, kept open");
        }
        assert_eq!(outcome(&[b"\r\n", SMALL, b"trailer"].concat()[..], None), picture);
        let file = std::fs::read("tests/data/cat.jpg").unwrap();
        let bare = &file[..file.len() - 2];
        assert_eq!(outcome(bare, None), Outcome::Picture(file.clone()));
        assert_eq!(outcome(Open(bare), Some(bare.len() as u64)), Outcome::Picture(file.clone()));
        assert_eq!(outcome(Open(bare), Some(file.len() as u64)), Outcome::Nothing);
    }

    #[test]
    fn what_is_no_picture_or_half_of_one_is_told() {
        let broken = |why: &str| Outcome::Broken(why.to_owned());
        assert_eq!(outcome(&b"hello"[..], Some(5)), broken("5 bytes that are not JPEG"));
        assert_eq!(outcome(&SMALL[..12], Some(18)), broken("cut short by the end of the input"));
        assert_eq!(outcome(Open(&SMALL[..12]), Some(18)), Outcome::Nothing);
        assert_eq!(outcome(Open(&SMALL[..12]), Some(12)), broken("cut short by the end of the input"));
    }

    #[test]
    fn other_formats_are_pictures_as_well() {
        let png = b"\x89PNG\r\n\x1a\n and so on";
        assert_eq!(outcome(&png[..], None), Outcome::Picture(png.to_vec()));
        assert_eq!(outcome(Open(png), Some(png.len() as u64)), Outcome::Picture(png.to_vec()));
        assert_eq!(outcome(Open(png), None), Outcome::Nothing);
    }
}
