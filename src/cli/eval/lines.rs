//! Lines of a stream that may be of any length.

use std::io::BufRead;

use anyhow::Context;

use crate::error::{Error, Result};
use crate::system::Affordable;

/// Longest request in bytes: the largest picture file in base64, and words around it.
const MAX_BYTES: u64 = 768 << 20;
/// Memory that a request takes, in requests: its line, what it says, the picture's file.
const COPIES: u64 = 3;

/// Reads line after line into one buffer.
pub(crate) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    most: usize,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `input`, up to 768 MiB each, less on a machine without as much memory.
    pub(crate) fn new(input: R) -> Self {
        let most = Affordable::new(MAX_BYTES, COPIES).bytes;
        Self { input, line: Vec::new(), most: usize::try_from(most).unwrap_or(usize::MAX) }
    }

    /// The next line that is not blank, or why it cannot be used; `None` at the end.
    ///
    /// # Errors
    /// If the input cannot be read.
    #[allow(clippy::should_implement_trait, reason = "it lends its buffer")]
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Result<&[u8]>>> {
        loop {
            self.line.clear();
            let length = self.read().context("standard input")?;
            if length == 0 {
                return Ok(None);
            }
            if length > self.most {
                let expected = format!("at most {}", self.most);
                return Ok(Some(Err(Error::input("request", format!("{length} bytes"), expected))));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(Ok(&self.line)));
            }
        }
    }

    /// Length of the next line; its first `most` bytes are in `line`.
    fn read(&mut self) -> std::io::Result<usize> {
        let mut length = 0;
        loop {
            let available = match self.input.fill_buf() {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                available => available?,
            };
            let end = available.iter().position(|byte| *byte == b'\n').map(|place| place + 1);
            let used = end.unwrap_or(available.len());
            let room = self.most.saturating_sub(self.line.len());
            self.line.extend(available.iter().take(used.min(room)));
            self.input.consume(used);
            length += used;
            if end.is_some() || used == 0 {
                return Ok(length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_are_skipped_and_long_ones_refused() {
        let mut lines = Lines { input: &b"one\n\n \r\nmuch too long\ntwo"[..], line: Vec::new(), most: 8 };
        assert_eq!(lines.next().unwrap().unwrap().unwrap(), b"one\n");
        let error = lines.next().unwrap().unwrap().unwrap_err().to_string();
        assert_eq!(error, "request: found 14 bytes, expected at most 8");
        assert_eq!(lines.next().unwrap().unwrap().unwrap(), b"two");
        assert!(lines.next().unwrap().is_none());
        assert!(lines.line.capacity() <= 16);
    }
}
