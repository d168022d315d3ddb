//! What this process and those that read or decode for it tell each other.

mod death;
mod frame;
mod wire;

pub(super) use death::Death;
pub(super) use frame::Header;
pub(super) use wire::{Inbox, receive_first, send};

use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::jpeg::LONGEST as LONGEST_JPEG;
use crate::error::ErrorParts;

/// Name of the hidden subcommand that understands them.
pub(super) const COMMAND: &str = "apart";
/// Most bytes of a camera's frame: the longest JPEG with what is put into it.
pub(super) const LONGEST_FRAME: usize = LONGEST_JPEG + 4096;
/// Longest name of a picture.
const LONGEST_NAME: usize = 4096;

/// What a process is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub job: Job,
    /// Most memory of the process in megabytes, and the setting that says so.
    pub megabytes: u64,
    pub setting: String,
    /// `max_picture_mb`
    pub picture_mb: u64,
}

/// What a process does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Job {
    /// Reads a camera at this address, which has its password; one that is fetched, so often per second; the file of
    /// certificates that vouch for it.
    Camera { address: String, fps: Option<u32>, stall: Option<Duration>, ca: Option<PathBuf> },
    /// Decodes the pictures of this source.
    Pictures { of: String },
}

/// What is asked of a process: as many bytes for each request, so that those that one process leaves unread
/// cannot be misread by the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub ask: Ask,
    /// Bytes of the file in the shared memory, and of its name behind it.
    pub length: u64,
    pub name: u64,
}

/// What it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Ask {
    /// What comes next from the camera or in the animation.
    Next = b'n',
    /// A picture, which may take all the memory that a picture may take.
    Picture = b'p',
    /// A picture file of a live source, which holds several.
    File = b'i',
    /// The same of a camera, for which others wait.
    Frame = b'f',
    /// An animation, whose frames are asked for one by one.
    Animation = b'm',
    /// Another process in place of one that has ended.
    Again = b'a',
}

const ASKS: [Ask; 6] = [Ask::Next, Ask::Picture, Ask::File, Ask::Frame, Ask::Animation, Ask::Again];

impl Request {
    /// A request without a file.
    pub(super) fn plain(ask: Ask) -> Self {
        Self { ask, length: 0, name: 0 }
    }

    /// A request on a file of so many bytes with this name, which may be cut.
    pub(super) fn file(ask: Ask, length: usize, name: &str) -> Self {
        Self { ask, length: length as u64, name: name.len().min(LONGEST_NAME) as u64 }
    }

    pub(super) fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [self.ask as u8; 17];
        let numbers = [self.length.to_le_bytes(), self.name.to_le_bytes()].concat();
        bytes.iter_mut().skip(1).zip(numbers).for_each(|(to, byte)| *to = byte);
        bytes
    }

    /// Waits for the next request.
    ///
    /// # Errors
    /// Nobody asks any more.
    pub(super) fn receive(from: &mut impl Read) -> io::Result<Self> {
        let mut bytes = [0; 17];
        from.read_exact(&mut bytes)?;
        let [code, numbers @ ..] = bytes;
        let ask = ASKS.into_iter().find(|ask| *ask as u8 == code).ok_or(io::ErrorKind::InvalidData)?;
        let (length, name) = numbers.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).unwrap_or_default();
        Ok(Self { ask, length: number(length), name: number(name).min(LONGEST_NAME as u64) })
    }
}

/// What comes next.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The camera is connected, or the animation opened.
    Opened,
    /// The picture does not move, or not any more.
    Still,
    /// The camera cannot be connected or read on, and the process has ended.
    Refused(ErrorParts),
    /// What was asked for cannot be had.
    Failed(ErrorParts),
    /// Pixels lie in the shared memory, three bytes each.
    Picture {
        width: u32,
        height: u32,
    },
    /// A frame lies in the shared memory.
    Frame(Header),
    Broken(String),
    Stalled(String),
    Nothing,
    End,
    /// Why the process will die.
    Panicked(String),
    /// How it has died.
    Died(Death),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_arrives_as_it_was_sent() {
        for request in [
            Request::plain(Ask::Again),
            Request::file(Ask::Animation, 1 << 40, "photos/näher.gif"),
            Request::file(Ask::Frame, 7, &"x".repeat(LONGEST_NAME)),
        ] {
            assert_eq!(Request::receive(&mut &request.to_bytes()[..]).unwrap(), request);
        }
        let long = Request::file(Ask::Picture, 7, &"x".repeat(2 * LONGEST_NAME));
        assert_eq!(long.name, LONGEST_NAME as u64);
        assert!(Request::receive(&mut &[0; 17][..]).is_err());
        assert!(Request::receive(&mut &[b'n'; 5][..]).is_err());
    }
}
