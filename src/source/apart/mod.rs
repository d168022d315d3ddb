//! Network sources in a process of their own. What reads and decodes the bytes of strangers there may crash,
//! compute for ever or take all the memory that it is allowed: it costs that source a moment, and nothing else.
//!
//! Programs that use the library are not `edgeclip`, and cannot be started again as such a process: there,
//! sources are read by the thread that asks for them.

mod message;
mod worker;

pub(crate) use worker::keep;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tracing::level_filters::LevelFilter;

use super::live::{CapturedFrame, Live, Next};
use super::mjpeg::LONGEST;
use super::network::{Patience, without_secrets};
use super::retry::Retry;
use super::{http, rtsp};
use crate::error::{Error, Result};
use crate::system::{memory, memory_file};
use message::{AGAIN, Answer, Inbox, NEXT, Order, send};

/// Name of the hidden subcommand.
pub(crate) const COMMAND: &str = "apart";
/// Most bytes of a frame: the longest JPEG with what is put into it.
const LONGEST_FRAME: usize = LONGEST + 4096;
/// Longest wait within one call.
const POLL: Duration = Duration::from_millis(200);

/// Whether this program is `edgeclip`.
static IS_EDGECLIP: AtomicBool = AtomicBool::new(false);

/// Megabytes for one source where nothing is set: a quarter of what is there, enough for the largest H.264.
fn default_megabytes() -> u64 {
    let available = memory(Path::new("/")).map_or(0, |memory| memory.available >> 20);
    (available / 4).clamp(128, 512)
}

/// From now on, network sources are read apart: this program has the subcommand [`COMMAND`].
pub(crate) fn allow() {
    IS_EDGECLIP.store(true, Ordering::Relaxed);
}

/// Opens the network camera at `address`, whose process may use so many megabytes, by default a quarter of
/// what is there. A single picture is
/// fetched `fps` times per second.
///
/// # Errors
/// Same as those of [`rtsp::open`] and [`http::open`]; [`Error::Device`] if no process can be started.
pub(super) fn open(address: &str, fps: Option<u32>, megabytes: Option<u64>) -> Result<Box<dyn Live>> {
    let megabytes = megabytes.unwrap_or_else(default_megabytes);
    if !IS_EDGECLIP.load(Ordering::Relaxed) {
        return here(address, fps);
    }
    let order = Order { address: address.to_owned(), fps, megabytes };
    Ok(Box::new(Apart::open(&without_secrets(address), &order)?))
}

/// The same in this process.
fn here(address: &str, fps: Option<u32>) -> Result<Box<dyn Live>> {
    if address.starts_with("rtsp") {
        return rtsp::open(address, Patience::default());
    }
    http::open(address, fps, Patience::default())
}

/// A source that another process reads.
struct Apart {
    name: String,
    keeper: Child,
    control: UnixStream,
    inbox: Inbox,
    frames: File,
    state: State,
    /// Why the process panicked.
    last_words: Option<String>,
    retry: Retry,
    order: Order,
    /// Number of the next frame.
    number: u64,
    /// Number of the first frame of the present process.
    first: u64,
    /// When the first process was started, and by how much the present one's clock is behind its.
    begun: Instant,
    behind: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The camera is being connected.
    Opening,
    /// Nothing has been asked.
    Idle,
    /// What comes next has been asked for.
    Asked,
    /// The process has ended.
    Dead,
}

impl Apart {
    fn open(name: &str, order: &Order) -> Result<Self> {
        let mut apart = Self::start(name, order).map_err(|error| {
            let expected = "a process of its own for this source: fewer processes, or a higher limit (TasksMax= \
                            of the service, ulimit -u)";
            Error::device(name, format!("no process to read it ({error})"), expected)
        })?;
        loop {
            match apart.receive() {
                Some(Answer::Opened) => return Ok(apart),
                Some(Answer::Failed(error)) => return Err(error.into()),
                Some(Answer::Died(why)) => {
                    let expected = "a camera whose answers can be read: its sub-stream, or another path";
                    return Err(Error::device(name, died(&why), expected));
                }
                _ => {}
            }
        }
    }

    fn start(name: &str, order: &Order) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let frames = memory_file(c"edgeclip-frames")?;
        let keeper = Command::new("/proc/self/exe")
            .args([COMMAND, "--log", &LevelFilter::current().to_string()])
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(frames.try_clone()?))
            .spawn()?;
        let mut control = ours;
        control.set_read_timeout(Some(POLL))?;
        send(&mut control, order)?;
        Ok(Self {
            name: name.to_owned(),
            keeper,
            control,
            inbox: Inbox::default(),
            frames,
            state: State::Opening,
            last_words: None,
            retry: Retry::default(),
            order: order.clone(),
            number: 0,
            first: 0,
            begun: Instant::now(),
            behind: Duration::ZERO,
        })
    }

    /// What the process has said, within a moment.
    fn receive(&mut self) -> Option<Answer> {
        let answer = match self.inbox.receive(&mut self.control) {
            Ok(None) => return None,
            Ok(Some(Answer::Panicked(why))) => {
                self.last_words = Some(why);
                return None;
            }
            Ok(Some(Answer::Died(how))) => Answer::Died(self.last_words.take().unwrap_or(how)),
            Ok(Some(answer)) => answer,
            Err(error) => Answer::Died(format!("its connection ended ({error})")),
        };
        self.state = match &answer {
            Answer::Failed(_) | Answer::Died(_) | Answer::End => State::Dead,
            _ => State::Idle,
        };
        Some(answer)
    }

    /// Has the process started again when it is time to.
    fn revive(&mut self) -> Next {
        let remaining = self.retry.remaining();
        if !remaining.is_zero() {
            thread::sleep(remaining.min(POLL));
            return Next::Nothing;
        }
        (self.first, self.behind) = (self.number, self.begun.elapsed());
        if self.control.write_all(&[AGAIN]).is_ok() {
            self.state = State::Opening;
            return Next::Nothing;
        }
        // Its keeper has died as well.
        match Self::start(&self.name, &self.order) {
            Ok(anew) => {
                let Self { retry, number, first, begun, behind, .. } = self;
                let kept = (std::mem::take(retry), *number, *first, *begun, *behind);
                *self = anew;
                (self.retry, self.number, self.first, self.begun, self.behind) = kept;
            }
            Err(_) => self.retry.failed(),
        }
        Next::Nothing
    }

    /// Copies a frame out of the shared file.
    fn fetch(&mut self, header: &message::Header, frame: &mut CapturedFrame) -> Next {
        if header.length > LONGEST_FRAME {
            return Next::Broken(format!("a frame of {} bytes", header.length));
        }
        frame.bytes.resize(header.length, 0);
        if let Err(error) = self.frames.read_exact_at(&mut frame.bytes, 0) {
            return Next::Broken(format!("a frame that is not there ({error})"));
        }
        header.describe(frame);
        frame.number += self.first;
        self.number = frame.number + 1;
        frame.media_time = frame.media_time.map(|time| time + self.behind);
        self.retry.succeeded();
        Next::Frame
    }
}

impl Live for Apart {
    fn name(&self) -> &str {
        &self.name
    }

    fn waits(&self) -> bool {
        false
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        if self.state == State::Dead {
            return Ok(self.revive());
        }
        if self.state == State::Idle {
            self.state = State::Asked;
            // If nobody is there, the answer says so.
            let _ = self.control.write_all(&[NEXT]);
        }
        Ok(match self.receive() {
            None | Some(Answer::Opened | Answer::Nothing | Answer::Panicked(_)) => Next::Nothing,
            Some(Answer::Frame(header)) => self.fetch(&header, frame),
            Some(Answer::Broken(why)) => Next::Broken(why),
            Some(Answer::Stalled(why)) => Next::Stalled(why),
            Some(Answer::End) => Next::End,
            Some(Answer::Failed(error)) => {
                self.retry.failed();
                let error = Error::from(error);
                Next::Stalled(error.found().map_or_else(|| error.to_string(), str::to_owned))
            }
            Some(Answer::Died(why)) => {
                self.retry.failed();
                Next::Stalled(died(&why))
            }
        })
    }
}

/// Ends both processes: one that is busy would not notice.
impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

fn died(why: &str) -> String {
    format!("the decoder died: {why}; it is started again")
}
