//! A buffered file or pipe, for containers to parse.

use std::io::{ErrorKind, Read};

use crate::error::{self, Error, Result};

/// Bytes per read.
const CHUNK: usize = 64 << 10;
/// Most bytes that one search scans, so that no call takes long.
const MOST_SEARCHED: usize = 16 << 20;

/// A reader and its bytes that have been read but not consumed.
pub(super) struct Input {
    /// Name for error messages.
    pub name: String,
    reader: Box<dyn Read + Send>,
    held: Vec<u8>,
    /// Bytes of `held` that have been consumed.
    taken: usize,
}

impl Input {
    pub(crate) fn new(name: impl Into<String>, reader: impl Read + Send + 'static) -> Self {
        Self { name: name.into(), reader: Box::new(reader), held: Vec::new(), taken: 0 }
    }

    /// The buffered bytes.
    pub(crate) fn held(&self) -> &[u8] {
        self.held.get(self.taken..).unwrap_or_default()
    }

    /// Reads more, however little; false at the end.
    pub(crate) fn more(&mut self) -> Result<bool> {
        self.held.drain(..self.taken);
        self.taken = 0;
        let before = self.held.len();
        self.held.resize(before + CHUNK, 0);
        let count = loop {
            match self.reader.read(self.held.get_mut(before..).unwrap_or_default()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.held.truncate(before + count.as_ref().map_or(0, |count| *count));
        let count = count.map_err(|source| Error::io(error::ErrorKind::Input, self.name.clone(), source))?;
        Ok(count > 0)
    }

    /// The next `count` bytes, without consuming them; fewer at the end. Memory grows with what arrives, not
    /// with `count`.
    pub(crate) fn peek(&mut self, count: usize) -> Result<&[u8]> {
        while self.held().len() < count && self.more()? {}
        let held = self.held();
        Ok(held.get(..count).unwrap_or(held))
    }

    /// Consumes `count` buffered bytes.
    pub(crate) fn take(&mut self, count: usize) {
        self.taken = self.held.len().min(self.taken.saturating_add(count));
    }

    /// Consumes `count` bytes, buffered or not; false if the input ends first.
    pub(crate) fn skip(&mut self, mut count: u64) -> Result<bool> {
        loop {
            let here = self.held().len().min(usize::try_from(count).unwrap_or(usize::MAX));
            self.take(here);
            count -= here as u64;
            if count == 0 {
                return Ok(true);
            }
            if !self.more()? {
                return Ok(false);
            }
        }
    }

    /// Consumes bytes up to the next place where `fits` accepts the following `window` bytes, to the end, or
    /// up to a limit; returns how many.
    pub(crate) fn skip_to(&mut self, window: usize, fits: impl Fn(&[u8]) -> bool) -> Result<usize> {
        let mut skipped = 0;
        loop {
            let held = self.held();
            let found = held.windows(window).position(&fits);
            let past = found.unwrap_or((held.len() + 1).saturating_sub(window));
            self.take(past);
            skipped += past;
            if found.is_some() || skipped >= MOST_SEARCHED {
                return Ok(skipped);
            }
            if !self.more()? {
                let rest = self.held().len();
                self.take(rest);
                return Ok(skipped + rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte per read.
    struct Drops(std::io::Cursor<Vec<u8>>);

    impl Read for Drops {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(into.get_mut(..1).unwrap_or_default())
        }
    }

    #[test]
    fn bytes_are_peeked_taken_and_searched_in_any_pieces() {
        let text = b"one two three";
        let whole = Input::new("x", &text[..]);
        let drops = Input::new("x", Drops(std::io::Cursor::new(text.to_vec())));
        for mut input in [whole, drops] {
            assert_eq!(input.peek(3).unwrap(), b"one");
            input.take(1);
            assert_eq!(input.peek(2).unwrap(), b"ne");
            assert_eq!(input.skip_to(3, |window| window == b"thr").unwrap(), 7);
            assert_eq!(input.peek(99).unwrap(), b"three");
            assert!(input.skip(4).unwrap());
            assert_eq!(input.skip_to(3, |window| window == b"thr").unwrap(), 1);
            assert!(input.peek(1).unwrap().is_empty());
            assert!(!input.skip(u64::MAX).unwrap());
        }
    }
}
