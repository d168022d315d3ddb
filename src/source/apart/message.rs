//! What a source and the process that reads it tell each other: a length of four bytes and JSON.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::jpeg::LONGEST as LONGEST_JPEG;
use super::super::live::{CapturedFrame, Encoding};
use crate::error::ErrorParts;
use crate::frame::{PixelFormat, Range};

/// Name of the hidden subcommand that understands them.
pub(super) const COMMAND: &str = "apart";
/// Most bytes of a frame: the longest JPEG with what is put into it.
pub(super) const LONGEST_FRAME: usize = LONGEST_JPEG + 4096;
/// Longest message; pixels go another way.
const LONGEST: usize = 64 << 10;

/// Asks for what comes next. For pictures, the length of the one to decode follows, in eight bytes.
pub(super) const NEXT: u8 = b'n';
/// Asks for another process in place of one that has ended.
pub(super) const AGAIN: u8 = b'a';

/// What a process is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub job: Job,
    /// Most memory of the process.
    pub megabytes: u64,
}

/// What a process does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Job {
    /// Reads a camera at this address, which has its password; one that is fetched, so often per second.
    Camera { address: String, fps: Option<u32> },
    /// Decodes pictures of the camera at this address.
    Pictures { of: String },
}

/// What comes next.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The camera is connected.
    Opened,
    /// It cannot be, or cannot be read on, and the process has ended.
    Refused(ErrorParts),
    /// What was asked for cannot be had.
    Failed(ErrorParts),
    /// Pixels lie in the shared file, three bytes each.
    Picture {
        width: u32,
        height: u32,
    },
    /// A frame lies in the shared file.
    Frame(Header),
    Broken(String),
    Stalled(String),
    Nothing,
    End,
    /// Why the process will die.
    Panicked(String),
    /// How it has died.
    Died(String),
}

/// A frame without its bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub length: usize,
    number: u64,
    /// How long ago it was taken: the clocks of two processes have no common beginning.
    age: Duration,
    media_time: Option<Duration>,
    layout: Layout,
}

#[derive(Debug, Serialize, Deserialize)]
enum Layout {
    Jpeg,
    /// Planes of [`PixelFormat::Yu12`], the one format that decoders here give.
    Yu12 {
        width: u32,
        height: u32,
        stride: usize,
        full: bool,
    },
}

impl Header {
    /// Of a frame; `None` if its pixels are laid out in another way.
    pub(super) fn of(frame: &CapturedFrame) -> Option<Self> {
        let layout = match frame.encoding {
            Encoding::Jpeg => Layout::Jpeg,
            Encoding::Raw { width, height, stride, format: PixelFormat::Yu12(range) } => {
                Layout::Yu12 { width, height, stride, full: range == Range::Full }
            }
            Encoding::Raw { .. } => return None,
        };
        let (length, age) = (frame.bytes.len(), frame.taken.elapsed());
        Some(Self { length, number: frame.number, age, media_time: frame.media_time, layout })
    }

    /// Describes the bytes of `frame`, which are there already.
    pub(super) fn describe(&self, frame: &mut CapturedFrame) {
        frame.encoding = match self.layout {
            Layout::Jpeg => Encoding::Jpeg,
            Layout::Yu12 { width, height, stride, full } => {
                let range = if full { Range::Full } else { Range::Limited };
                Encoding::Raw { width, height, stride, format: PixelFormat::Yu12(range) }
            }
        };
        (frame.number, frame.media_time) = (self.number, self.media_time);
        let now = Instant::now();
        frame.stamp(now.checked_sub(self.age).unwrap_or(now));
    }
}

/// Sends a message in one piece.
///
/// # Errors
/// Nobody is there.
pub(super) fn send(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len() - 4).unwrap_or(u32::MAX);
    bytes.splice(..4, length.to_le_bytes());
    to.write_all(&bytes)
}

/// Waits for the first message, and reads nothing behind it: that is for others.
///
/// # Errors
/// Nobody is there, or sends anything else.
pub(super) fn receive_first<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    from.read_exact(&mut message)?;
    Ok(serde_json::from_slice(&message)?)
}

/// Messages as they arrive.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    held: Vec<u8>,
}

impl Inbox {
    /// The next message; `None` if it is not there within the time limit of `from`.
    ///
    /// # Errors
    /// Nobody is there, or sends anything else.
    pub(super) fn receive<T: DeserializeOwned>(&mut self, from: &mut impl Read) -> io::Result<Option<T>> {
        loop {
            if let Some(head) = self.held.first_chunk::<4>() {
                let length = u32::from_le_bytes(*head) as usize;
                if length > LONGEST {
                    return Err(ErrorKind::InvalidData.into());
                }
                if let Some(message) = self.held.get(4..4 + length) {
                    let message = serde_json::from_slice(message)?;
                    self.held.drain(..4 + length);
                    return Ok(Some(message));
                }
            }
            let mut piece = [0; 4096];
            match from.read(&mut piece) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.held.extend(piece.iter().take(count)),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_whole_however_they_are_cut() {
        let mut bytes = Vec::new();
        send(&mut bytes, &Answer::Broken("torn".to_owned())).unwrap();
        send(&mut bytes, &Answer::Nothing).unwrap();
        let mut inbox = Inbox::default();
        let mut seen = Vec::new();
        for byte in bytes {
            let mut one = io::Cursor::new([byte]);
            match inbox.receive::<Answer>(&mut one) {
                Ok(answer) => seen.push(format!("{:?}", answer.unwrap())),
                Err(error) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof),
            }
        }
        assert_eq!(seen, ["Broken(\"torn\")", "Nothing"]);
        let order = Order { job: Job::Pictures { of: "cam".to_owned() }, megabytes: 7 };
        let mut bytes = Vec::new();
        send(&mut bytes, &order).unwrap();
        bytes.push(NEXT);
        let mut rest = &bytes[..];
        assert_eq!(receive_first::<Order>(&mut rest).unwrap(), order);
        assert_eq!(rest, [NEXT]);
        let endless = [255, 255, 255, 255];
        let error = Inbox::default().receive::<Answer>(&mut &endless[..]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(receive_first::<Order>(&mut &endless[..]).is_err());
    }

    #[test]
    fn a_frame_is_described_as_it_was() {
        let mut frame = CapturedFrame::empty();
        let format = PixelFormat::Yu12(Range::Full);
        frame.fill(&[7; 24], Encoding::Raw { width: 4, height: 4, stride: 4, format }, 9);
        frame.media_time = Some(Duration::from_millis(40));
        let mut other = CapturedFrame::empty();
        Header::of(&frame).unwrap().describe(&mut other);
        let told = |frame: &CapturedFrame| (frame.encoding, frame.number, frame.media_time);
        assert_eq!(told(&other), told(&frame));
        assert!(other.taken.duration_since(frame.taken) < Duration::from_secs(5));
    }
}
