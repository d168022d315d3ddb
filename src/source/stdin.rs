//! JPEG files one after the other on standard input, as `rpicam-vid --codec mjpeg -o -` writes them.

use std::io::{ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::jpeg::next_marker;
use super::live::{Encoding, Live, Next, Shot};
use crate::error::{Error, Result};

/// Longest frame in bytes.
pub(super) const LONGEST: usize = 64 << 20;
/// How long one call waits.
const PATIENCE: Duration = Duration::from_millis(200);

/// Standard input as a live source: the newest whole frame; a writer that is faster than the reader loses frames, not time.
pub struct Pipe {
    slot: Arc<(Mutex<Slot>, Condvar)>,
}

/// What the reading thread leaves for the other.
#[derive(Default)]
struct Slot {
    /// The newest frame and its number.
    newest: Option<(u64, Vec<u8>)>,
    /// Why a frame was thrown away.
    broken: Option<String>,
    /// Why there will be no more.
    end: Option<std::io::Result<()>>,
}

impl Pipe {
    /// Starts to read `input`, such as standard input, in a thread of its own, which ends with the input.
    pub fn new(input: impl Read + Send + 'static) -> Self {
        let slot = Arc::<(Mutex<Slot>, Condvar)>::default();
        let theirs = Arc::clone(&slot);
        thread::spawn(move || {
            let end = read(input, &theirs);
            lock(&theirs.0).end = Some(end);
            theirs.1.notify_one();
        });
        Self { slot }
    }
}

impl Live for Pipe {
    fn name(&self) -> &str {
        "-"
    }

    fn waits(&self) -> bool {
        false
    }

    fn next(&mut self, shot: &mut Shot) -> Result<Next> {
        let (slot, changed) = &*self.slot;
        let nothing = |slot: &mut Slot| slot.newest.is_none() && slot.broken.is_none() && slot.end.is_none();
        let waited = changed.wait_timeout_while(lock(slot), PATIENCE, nothing);
        let (mut slot, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = slot.broken.take() {
            return Ok(Next::Broken(why));
        }
        if let Some((number, bytes)) = slot.newest.take() {
            drop(slot);
            shot.fill(&bytes, Encoding::Jpeg, number);
            return Ok(Next::Frame);
        }
        match slot.end.take() {
            None => Ok(Next::Nothing),
            Some(Ok(())) => Ok(Next::End),
            Some(Err(source)) => Err(Error::Io { name: "standard input".to_owned(), source }),
        }
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads to the end, putting each whole frame into the slot.
fn read(mut input: impl Read, (slot, changed): &(Mutex<Slot>, Condvar)) -> std::io::Result<()> {
    let mut chunk = vec![0; 64 << 10];
    let mut held = Vec::new();
    let mut number = 0;
    let leave = |change: &dyn Fn(&mut Slot)| {
        change(&mut lock(slot));
        changed.notify_one();
    };
    loop {
        let count = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        held.extend_from_slice(chunk.get(..count).unwrap_or_default());
        loop {
            match cut(&held) {
                Cut::More => break,
                Cut::Frame(end) => {
                    let rest = held.split_off(end);
                    let frame = std::mem::replace(&mut held, rest);
                    lock(slot).newest = Some((number, frame));
                    changed.notify_one();
                    number += 1;
                }
                Cut::Garbage(length, what) => {
                    held.drain(..length);
                    leave(&|slot| slot.broken = Some(format!("frame {number}: {what}")));
                }
            }
        }
        if held.len() > LONGEST {
            held.clear();
            leave(&|slot| slot.broken = Some(format!("frame {number}: more than {LONGEST} bytes")));
        }
    }
    if !held.is_empty() {
        leave(&|slot| slot.broken = Some(format!("frame {number}: cut short by the end of the input")));
    }
    Ok(())
}

/// What the bytes held so far begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The beginning of a frame.
    More,
    /// A whole frame of this length.
    Frame(usize),
    /// So many bytes that are no whole frame, and why.
    Garbage(usize, &'static str),
}

/// Walks the markers (ITU T.81, annex B) from the start of an image to its end.
pub(super) fn cut(bytes: &[u8]) -> Cut {
    const START: [u8; 2] = [0xff, 0xd8];
    const TOO_SHORT: usize = 2;
    if bytes.len() < TOO_SHORT {
        return Cut::More;
    }
    if !bytes.starts_with(&START) {
        let start = bytes.windows(2).position(|pair| pair == START);
        // The last byte may be the first of a marker.
        return Cut::Garbage(start.unwrap_or(bytes.len() - 1), "bytes that are no JPEG");
    }
    let mut scanned = false;
    let mut at = START.len();
    while let Some((marker, after)) = next_marker(bytes, at) {
        at = match marker {
            0xd9 if scanned => return Cut::Frame(after),
            0xd8 | 0xd9 => return Cut::Garbage(after - START.len(), "no end before the next start"),
            0x01 | 0xd0..=0xd7 => after,
            _ => match bytes.get(after..after + 2) {
                Some(&[high, low]) => after + usize::from(u16::from_be_bytes([high, low])).max(2),
                _ => return Cut::More,
            },
        };
        scanned |= marker == 0xda;
    }
    Cut::More
}

#[cfg(test)]
#[path = "stdin_tests.rs"]
mod tests;
