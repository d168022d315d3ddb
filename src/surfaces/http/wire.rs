//! One connection's bytes: heads and bodies in, within bounds of length and time; answers out.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::request::{Head, LONGEST, Length, Refused};

/// How long a whole body may take.
const BODY: Duration = Duration::from_secs(30);
/// How long a reader may take nothing.
const STUCK: Duration = Duration::from_secs(10);
/// Bytes that are written at once.
const PIECE: usize = 64 * 1024;
/// Bytes that are read at once, as long as nothing large is expected.
const SIP: usize = 1024;
/// Most bytes that are thrown away so that an answer arrives before the connection ends.
const LINGER: usize = 256 * 1024;
/// How long that may take.
const FAREWELL: Duration = Duration::from_millis(500);
/// Most bytes of the line before a chunk, and of what follows the last.
const CHUNK_LINE: usize = 4096;

/// Why a body is not taken.
pub(super) enum Unread {
    /// It is longer than may be.
    TooLong,
    /// It did not come in time.
    TooSlow,
    /// It is no body.
    Odd,
    /// The connection has ended.
    Gone,
}

/// A connection with what has been read of it ahead.
pub(super) struct Wire<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// Waits until a request begins; false if the connection has ended.
    pub(super) async fn begin(&mut self) -> bool {
        if self.buffer.is_empty() {
            // Idle connections keep no memory.
            self.buffer = Vec::new();
            return self.sip(SIP).await.unwrap_or(false);
        }
        true
    }

    /// The next head; `None` if the connection has ended. May be given up and called again.
    ///
    /// # Errors
    /// What comes is no request that is taken.
    pub(super) async fn head(&mut self) -> Result<Option<Head>, Refused> {
        loop {
            // Empty lines before a request are passed over.
            let blank = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.buffer.drain(..blank);
            if !self.buffer.is_empty()
                && let Some((head, length)) = Head::read(&self.buffer)?
            {
                self.buffer.drain(..length);
                return Ok(Some(head));
            }
            if self.buffer.len() > LONGEST || !self.sip(SIP).await.unwrap_or(false) {
                return Ok(None);
            }
        }
    }

    /// The body that follows a head, if it has at most `most` bytes.
    pub(super) async fn body(&mut self, head: &Head, most: usize) -> Result<Vec<u8>, Unread> {
        if let Length::Bytes(length) = head.length
            && length > most as u64
        {
            return Err(Unread::TooLong);
        }
        if head.length != Length::Bytes(0)
            && head.get("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await.map_err(|_| Unread::Gone)?;
        }
        let until = Instant::now() + BODY;
        let read = async {
            match head.length {
                Length::Bytes(length) => self.take(length as usize).await,
                Length::Chunks => self.chunks(most).await,
            }
        };
        timeout_at(until, read).await.unwrap_or(Err(Unread::TooSlow))
    }

    /// Writes all of it, if it is taken at a reasonable pace.
    ///
    /// # Errors
    /// The reader has gone, or takes nothing.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE) {
            timeout(STUCK, self.stream.write_all(piece)).await.map_err(io::Error::other)??;
        }
        timeout(STUCK, self.stream.flush()).await.map_err(io::Error::other)?
    }

    /// Waits until the other side ends the connection; what it sends meanwhile is not looked at.
    pub(super) async fn gone(&mut self) {
        let mut waste = [0; SIP];
        while !matches!(self.stream.read(&mut waste).await, Ok(0) | Err(_)) {}
    }

    /// Ends the connection, but not before the answer can have been read: what is still on its way here would have the
    /// other system throw it away.
    pub(super) async fn end(mut self) {
        let farewell = async {
            self.stream.shutdown().await?;
            let (mut waste, mut left) = ([0; SIP], LINGER);
            while left > 0 {
                match self.stream.read(&mut waste).await? {
                    0 => break,
                    read => left = left.saturating_sub(read),
                }
            }
            io::Result::Ok(())
        };
        let _ = timeout(FAREWELL, farewell).await;
    }

    /// Reads some more; false at the end.
    async fn sip(&mut self, most: usize) -> io::Result<bool> {
        let before = self.buffer.len();
        self.buffer.reserve(most);
        let read = (&mut self.stream).take(most as u64).read_buf(&mut self.buffer).await?;
        debug_assert_eq!(self.buffer.len(), before + read);
        Ok(read > 0)
    }

    async fn more(&mut self, most: usize) -> Result<(), Unread> {
        if self.sip(most).await.unwrap_or(false) { Ok(()) } else { Err(Unread::Gone) }
    }

    /// So many bytes. Memory is taken as they come, not as they are announced.
    async fn take(&mut self, length: usize) -> Result<Vec<u8>, Unread> {
        while self.buffer.len() < length {
            self.more((length - self.buffer.len()).min(PIECE)).await?;
        }
        let rest = self.buffer.split_off(length);
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    async fn chunks(&mut self, most: usize) -> Result<Vec<u8>, Unread> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            if size.is_empty() || size.len() > 8 || !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Unread::Odd);
            }
            let size = usize::from_str_radix(size, 16).map_err(|_| Unread::Odd)?;
            if size > most - body.len() {
                return Err(Unread::TooLong);
            }
            if size == 0 {
                return self.trailer().await.map(|()| body);
            }
            body.extend(self.take(size).await?);
            if self.take(2).await? != b"\r\n" {
                return Err(Unread::Odd);
            }
        }
    }

    /// What may follow the last chunk, which nobody here asks for.
    async fn trailer(&mut self) -> Result<(), Unread> {
        let mut length = 0;
        loop {
            let line = self.line().await?;
            length += line.len();
            if line.is_empty() {
                return Ok(());
            }
            if length > CHUNK_LINE {
                return Err(Unread::TooLong);
            }
        }
    }

    /// A line without its end.
    async fn line(&mut self) -> Result<String, Unread> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8(self.buffer.drain(..end).collect()).map_err(|_| Unread::Odd)?;
                self.buffer.drain(..2);
                return Ok(line);
            }
            if self.buffer.len() > CHUNK_LINE {
                return Err(Unread::Odd);
            }
            self.more(SIP).await?;
        }
    }
}
