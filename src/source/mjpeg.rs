//! Concatenated JPEG files, as in `.mjpeg` files and the pipes of cameras' programs, also with the boundaries and
//! headers of an HTTP stream (`curl -N`).

use super::container::{Container, Cutout, Piece};
use super::input::Input;
use super::jpeg::{Cutter, Step};
use super::live::Encoding;
use crate::error::Result;

/// Concatenated JPEG files.
pub(super) struct Mjpeg {
    input: Input,
    cutter: Cutter,
    /// Bytes of the frame that was returned last.
    given: usize,
    /// A frame that was not there as it should be.
    repaired: Vec<u8>,
    ended: bool,
}

impl Mjpeg {
    pub(crate) fn new(input: Input) -> Self {
        Self { input, cutter: Cutter::new(""), given: 0, repaired: Vec::new(), ended: false }
    }
}

impl Container for Mjpeg {
    fn next(&mut self) -> Result<Piece<'_>> {
        self.input.take(std::mem::take(&mut self.given));
        loop {
            match self.cutter.step(self.input.held(), self.ended) {
                Step::More(dropped) => {
                    self.input.take(dropped);
                    if dropped == 0 {
                        self.ended = !self.input.more()?;
                    }
                }
                Step::Picture(length) => {
                    self.given = length;
                    let bytes = self.input.held().get(..length).unwrap_or_default();
                    return Ok(Piece::Frame(Cutout { bytes, encoding: Encoding::Jpeg, time: None }));
                }
                Step::Repaired(picture, length) => {
                    self.given = length;
                    self.repaired = picture;
                    return Ok(Piece::Frame(Cutout {
                        bytes: &self.repaired,
                        encoding: Encoding::Jpeg,
                        time: None,
                    }));
                }
                Step::Broken(dropped, why) => {
                    self.input.take(dropped);
                    return Ok(Piece::Broken(why));
                }
                Step::End => return Ok(Piece::End),
            }
        }
    }
}

#[cfg(test)]
#[path = "mjpeg_tests.rs"]
mod tests;
