//! Pictures that another process decodes.

use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use super::message::{Answer, LONGEST_FRAME, NEXT};
use super::process::{Process, died};
use crate::error::{Error, Result};
use crate::source::limits::MAX_PIXELS;
use crate::source::live::Decode;
use crate::source::picture::Picture;

/// Decodes the pictures of one source.
#[derive(Debug)]
pub(super) struct Decoder(Mutex<Process>);

impl Decoder {
    pub(super) fn new(process: Process) -> Self {
        Self(Mutex::new(process))
    }

    /// Leaves the process for the next one with the same order.
    pub(super) fn leave(self) {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).leave();
    }
}

impl Decode for Decoder {
    fn decode(&self, name: String, bytes: &[u8]) -> Result<Picture> {
        let expected = "a picture that can be decoded";
        let broken = |found: String| Error::input(&name, found, expected);
        let lost = |error: std::io::Error| broken(format!("no memory to share ({error})"));
        if bytes.len() > LONGEST_FRAME {
            return Err(broken(format!("{} bytes", bytes.len())));
        }
        let mut process = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        process.revive().map_err(|error| broken(format!("no process to decode it ({error})")))?;
        process.shared.write_all_at(bytes, 0).map_err(lost)?;
        let length = (bytes.len() as u64).to_le_bytes();
        process.ask(&[&[NEXT], &length[..]].concat());
        // It has limits of its own, and tells when they have ended it.
        loop {
            match process.receive() {
                Some(Answer::Picture { width, height }) => {
                    let pixels = u64::from(width) * u64::from(height);
                    let length =
                        usize::try_from(pixels.saturating_mul(3)).ok().filter(|_| pixels <= MAX_PIXELS);
                    let length = length.ok_or_else(|| broken(format!("{width}x{height} pixels")))?;
                    let mut data = vec![0; length];
                    process.shared.read_exact_at(&mut data, 0).map_err(lost)?;
                    return Ok(Picture { name, width, height, data });
                }
                Some(Answer::Failed(error)) => return Err(Error::from(error).renamed(name)),
                Some(Answer::Died(why)) => return Err(broken(died(&why))),
                _ => {}
            }
        }
    }
}
