//! The body of a response.

use std::io::{self, Read};

/// Longest line of a chunk's length, in bytes.
const LONGEST_LINE: usize = 256;
/// Bytes per read of such a line.
const CHUNK: usize = 4096;

/// How a body is transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transfer {
    /// As it is.
    Plain,
    /// In chunks: this many bytes are left of the present one, and whether one has begun.
    Chunks { left: u64, begun: bool },
    /// The last chunk has been read.
    Over,
}

/// What a server sends behind its header, up to the last chunk or the end of the connection: a stated length is a
/// hint.
///
/// [`Read::read`] waits for as long as the connection's own time limit; an error of kind
/// [`io::ErrorKind::WouldBlock`] means that there is nothing yet.
pub(super) struct Body<R> {
    pub input: R,
    /// Decoded bytes to be read first.
    front: Vec<u8>,
    /// Bytes as they came.
    held: Vec<u8>,
    transfer: Transfer,
    /// Its length in bytes, as the header states it.
    pub length: Option<u64>,
}

impl<R: Read> Body<R> {
    /// A body of which `held` has been read with the header.
    pub(crate) fn new(input: R, held: Vec<u8>, chunked: bool, length: Option<u64>) -> Self {
        let transfer = if chunked { Transfer::Chunks { left: 0, begun: false } } else { Transfer::Plain };
        Self { input, front: Vec::new(), held, transfer, length }
    }

    /// Its first bytes, which stay: as many as one more read brings.
    ///
    /// # Errors
    /// Same as [`Read::read`].
    pub(crate) fn peek(&mut self) -> io::Result<(&[u8], bool)> {
        let mut chunk = [0; CHUNK];
        let front = std::mem::take(&mut self.front);
        let read = self.read(&mut chunk);
        self.front = front;
        let count = read?;
        self.front.extend_from_slice(chunk.get(..count).unwrap_or_default());
        Ok((&self.front, count == 0))
    }

    /// Bytes as they come.
    fn plain(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.held.is_empty() { self.input.read(into) } else { Ok(drain(&mut self.held, into)) }
    }

    /// Reads the line with the next chunk's length; `None` at the end.
    fn chunk(&mut self) -> io::Result<Option<u64>> {
        loop {
            if let Some(end) = self.held.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(self.held.get(..end).unwrap_or_default()).into_owned();
                let digits = line.split(';').next().unwrap_or_default().trim();
                // The line end behind the chunk before.
                let length = if digits.is_empty() { None } else { Some(u64::from_str_radix(digits, 16)) };
                if !matches!(length, Some(Err(_))) {
                    self.held.drain(..=end);
                }
                match length {
                    None => continue,
                    Some(Ok(length)) => return Ok(Some(length)),
                    Some(Err(_)) => {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "a chunk without length"));
                    }
                }
            }
            if self.held.len() > LONGEST_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a chunk without length"));
            }
            let mut more = [0; CHUNK];
            let count = self.input.read(&mut more)?;
            if count == 0 {
                return Ok(None);
            }
            self.held.extend_from_slice(more.get(..count).unwrap_or_default());
        }
    }
}

impl<R: Read> Read for Body<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.front.is_empty() {
            return Ok(drain(&mut self.front, into));
        }
        loop {
            match self.transfer {
                Transfer::Over => return Ok(0),
                Transfer::Plain => return self.plain(into),
                Transfer::Chunks { left: 0, begun } => match self.chunk() {
                    Ok(Some(0) | None) => self.transfer = Transfer::Over,
                    Ok(Some(left)) => self.transfer = Transfer::Chunks { left, begun: true },
                    // Announced, but not done.
                    Err(error) if error.kind() == io::ErrorKind::InvalidData && !begun => {
                        self.transfer = Transfer::Plain;
                    }
                    Err(error) => return Err(error),
                },
                Transfer::Chunks { left, begun } => {
                    let most = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    let count = self.plain(into.get_mut(..most).unwrap_or_default())?;
                    self.transfer = match count {
                        0 => Transfer::Over,
                        _ => Transfer::Chunks { left: left - count as u64, begun },
                    };
                    return Ok(count);
                }
            }
        }
    }
}

/// Moves the first bytes of `from`.
fn drain(from: &mut Vec<u8>, into: &mut [u8]) -> usize {
    let count = from.len().min(into.len());
    into.iter_mut().zip(from.drain(..count)).for_each(|(out, byte)| *out = byte);
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], held: usize, chunked: bool) -> io::Result<Vec<u8>> {
        let mut body = Body::new(&bytes[held..], bytes[..held].to_vec(), chunked, None);
        let mut all = Vec::new();
        body.read_to_end(&mut all).map(|_| all)
    }

    #[test]
    fn chunks_are_put_together_and_what_is_none_is_taken_as_it_is() {
        let chunks = b"4;x=y\r\nwith\r\n6\r\nout en\r\n1\r\nd\r\n0\r\n\r\nmore";
        for held in [0, 1, 8, chunks.len()] {
            assert_eq!(read(chunks, held, true).unwrap(), b"without end");
            assert_eq!(read(chunks, held, false).unwrap(), chunks);
        }
        assert_eq!(
            read(b"\xff\xd8 not chunked\n at all", 3, true).unwrap(),
            b"\xff\xd8 not chunked\n at all"
        );
        assert_eq!(read(&[7; 900], 0, true).unwrap(), [7; 900]);
        assert_eq!(read(b"4\r\nwi", 0, true).unwrap(), b"wi");
        assert!(read(b"4\r\nwithx\r\n4\r\nmore", 0, true).is_err());
    }

    #[test]
    fn what_is_peeked_is_read_later() {
        let mut body = Body::new(&b"abcdef"[..], b"xy".to_vec(), false, None);
        assert_eq!(body.peek().unwrap(), (&b"xy"[..], false));
        assert_eq!(body.peek().unwrap(), (&b"xyabcdef"[..], false));
        assert_eq!(body.peek().unwrap(), (&b"xyabcdef"[..], true));
        let mut all = String::new();
        body.read_to_string(&mut all).unwrap();
        assert_eq!(all, "xyabcdef");
    }
}
