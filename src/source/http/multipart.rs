//! Streams of `multipart/x-mixed-replace` (RFC 2046, section 5.1), as cameras send them: often not quite as
//! specified.

use std::io::{self, ErrorKind, Read};

use super::super::jpeg;
use super::super::mjpeg::{Cut, LONGEST, Walk};

/// Longest part header in bytes.
const LONGEST_HEADER: usize = 16 << 10;
/// Bytes per read.
const CHUNK: usize = 64 << 10;

/// The boundary of a content type such as `multipart/x-mixed-replace; boundary="frame"`.
pub(in crate::source) fn boundary(content_type: &str) -> Option<String> {
    let parameter = content_type.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    // Many cameras include the leading dashes in the boundary.
    let boundary = parameter.trim().trim_matches('"').trim_start_matches('-');
    (!boundary.is_empty()).then(|| boundary.to_owned())
}

/// One part of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::source) enum Part {
    /// A whole JPEG file.
    Picture(Vec<u8>),
    /// Not a picture: why.
    Broken(String),
}

/// A stream, split into its parts.
pub(in crate::source) struct Parts<R> {
    input: R,
    /// Bytes that have been read but not consumed.
    held: Vec<u8>,
    /// What precedes each part.
    delimiter: Vec<u8>,
    /// The last part was broken, or none has come yet: the bytes before the next one are skipped silently.
    lost: bool,
    chunk: Vec<u8>,
}

impl<R: Read> Parts<R> {
    /// The parts of `input`, separated by `boundary`.
    pub(crate) fn new(input: R, boundary: &str) -> Self {
        let delimiter = format!("--{boundary}").into_bytes();
        Self { input, held: Vec::new(), delimiter, lost: true, chunk: vec![0; CHUNK] }
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// Same as the input's.
    pub(crate) fn next(&mut self) -> io::Result<Option<Part>> {
        let Some(skipped) = self.skip_to_part()? else { return Ok(None) };
        if skipped > 0 && !self.lost {
            self.lost = true;
            return Ok(Some(Part::Broken(format!("{skipped} bytes between pictures"))));
        }
        let Some(header) = self.header()? else { return Ok(None) };
        let part = match header {
            Err(why) => Some(Part::Broken(why)),
            Ok(Some(length)) => self.body(length)?,
            Ok(None) => self.jpeg()?,
        };
        self.lost = matches!(part, Some(Part::Broken(_)));
        Ok(part)
    }

    /// Reads more; `false` at the end.
    fn more(&mut self) -> io::Result<bool> {
        loop {
            match self.input.read(&mut self.chunk) {
                Ok(count) => {
                    self.held.extend_from_slice(self.chunk.get(..count).unwrap_or_default());
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Drops everything up to the next delimiter; returns how many bytes that was, not counting line ends and
    /// dashes.
    fn skip_to_part(&mut self) -> io::Result<Option<usize>> {
        let mut skipped = 0;
        let counted = |bytes: &[u8]| bytes.iter().filter(|byte| !b"\r\n-".contains(byte)).count();
        loop {
            let found = self.held.windows(self.delimiter.len()).position(|bytes| bytes == self.delimiter);
            let end = found.unwrap_or_else(|| self.held.len().saturating_sub(self.delimiter.len() - 1));
            skipped += counted(self.held.get(..end).unwrap_or_default());
            self.held.drain(..end);
            if found.is_some() {
                // Two more dashes mark the end of the stream.
                while self.held.len() < self.delimiter.len() + 2 {
                    if !self.more()? {
                        return Ok(None);
                    }
                }
                let last = self.held.get(self.delimiter.len()..).is_some_and(|rest| rest.starts_with(b"--"));
                return Ok((!last).then_some(skipped));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Consumes a delimiter and the lines up to an empty one; returns the length of the body, where it is
    /// given.
    fn header(&mut self) -> io::Result<Option<Result<Option<usize>, String>>> {
        let end = loop {
            match header_end(self.held.get(..LONGEST_HEADER).unwrap_or(&self.held)) {
                Some(end) => break end,
                None if self.held.len() >= LONGEST_HEADER => {
                    self.held.drain(..self.delimiter.len());
                    return Ok(Some(Err(format!("a header of more than {LONGEST_HEADER} bytes"))));
                }
                None => {
                    if !self.more()? {
                        return Ok(None);
                    }
                }
            }
        };
        let header: Vec<u8> = self.held.drain(..end).collect();
        let header = String::from_utf8_lossy(&header).into_owned();
        let length = header.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case("content-length").then(|| value.trim().to_owned())
        });
        Ok(Some(match length.map(|length| (length.parse(), length)) {
            None => Ok(None),
            Some((Ok(length), _)) if length <= LONGEST => Ok(Some(length)),
            Some((Ok(_), _)) => Err(too_long()),
            Some((Err(_), length)) => Err(format!("a length of {length:?}")),
        }))
    }

    /// Consumes a body of `length` bytes.
    fn body(&mut self, length: usize) -> io::Result<Option<Part>> {
        while self.held.len() < length {
            if !self.more()? {
                return Ok(Some(Part::Broken("a picture cut short by the end of the stream".to_owned())));
            }
        }
        let rest = self.held.split_off(length);
        let body = std::mem::replace(&mut self.held, rest);
        Ok(Some(if jpeg::is_complete(&body) { Part::Picture(body) } else { Part::Broken(not_jpeg(&body)) }))
    }

    /// Consumes a body of unknown length: up to the end of the JPEG file.
    fn jpeg(&mut self) -> io::Result<Option<Part>> {
        let mut walk = Walk::default();
        loop {
            match walk.on(&self.held) {
                Cut::Frame(end) => {
                    let rest = self.held.split_off(end);
                    return Ok(Some(Part::Picture(std::mem::replace(&mut self.held, rest))));
                }
                // The next part is searched for in what follows.
                Cut::Garbage(_, why) => return Ok(Some(Part::Broken(why.to_owned()))),
                Cut::More if self.held.len() > LONGEST => return Ok(Some(Part::Broken(too_long()))),
                Cut::More => {
                    if !self.more()? {
                        let why = "a picture cut short by the end of the stream";
                        return Ok(Some(Part::Broken(why.to_owned())));
                    }
                }
            }
        }
    }
}

/// Index behind the first empty line after the delimiter's line.
fn header_end(held: &[u8]) -> Option<usize> {
    let mut line = 0;
    for (at, _) in held.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        let text = held.get(line..at).unwrap_or_default();
        if matches!(text, [] | [b'\r']) {
            return Some(at + 1);
        }
        line = at + 1;
    }
    None
}

/// The reason for refusing a picture by its length.
pub(in crate::source) fn too_long() -> String {
    format!("a picture of more than {LONGEST} bytes")
}

/// Why `bytes` are not a picture.
pub(in crate::source) fn not_jpeg(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xd8, ..] => "a picture cut short (no end-of-image marker)".to_owned(),
        _ => format!("{} bytes that are not JPEG", bytes.len()),
    }
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
