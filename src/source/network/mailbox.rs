//! Between the thread that reads a source and the one that looks at its frames: one frame, the newest.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::Fault;
use crate::error::{Error, ErrorKind, Result};
use crate::source::live::{Encoding, Live, Next, Shot};

/// How long one call waits.
const PATIENCE: Duration = Duration::from_millis(200);
/// Most faults that wait to be told; a source that breaks faster than anybody looks loses the oldest.
const MOST_FAULTS: usize = 256;

/// Where a source's thread leaves what it has.
pub(in crate::source) struct Mailbox {
    name: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The newest frame that nobody has taken; its bytes are in `bytes`.
    frame: Option<Envelope>,
    bytes: Vec<u8>,
    faults: VecDeque<Next>,
    /// Frames so far.
    frames: u64,
    /// Nobody will take any more.
    abandoned: bool,
    /// The thread has ended.
    ended: bool,
}

/// What a frame has beside its bytes.
struct Envelope {
    encoding: Encoding,
    number: u64,
    time: SystemTime,
    taken: Instant,
    media_time: Option<Duration>,
}

impl Mailbox {
    /// What messages call the source.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Leaves the newest frame, which was whole at `taken`; `bytes` gets the buffer of an older one in return.
    pub fn leave(
        &self,
        bytes: &mut Vec<u8>,
        encoding: Encoding,
        taken: Instant,
        media_time: Option<Duration>,
    ) {
        let mut state = self.lock();
        mem::swap(&mut state.bytes, bytes);
        let time = SystemTime::now().checked_sub(taken.elapsed()).unwrap_or_else(SystemTime::now);
        state.frame = Some(Envelope { encoding, number: state.frames, time, taken, media_time });
        state.frames += 1;
        self.changed.notify_all();
    }

    /// Leaves a fault.
    pub fn tell(&self, fault: Next) {
        let mut state = self.lock();
        if state.faults.len() == MOST_FAULTS {
            state.faults.pop_front();
        }
        state.faults.push_back(fault);
        self.changed.notify_all();
    }

    /// Frames so far.
    pub fn frames(&self) -> u64 {
        self.lock().frames
    }

    /// Whether the thread may end.
    pub fn is_abandoned(&self) -> bool {
        self.lock().abandoned
    }

    /// Sleeps for `time`, or until nobody wants the source any more.
    pub fn wait(&self, time: Duration) {
        drop(self.changed.wait_timeout_while(self.lock(), time, |state| !state.abandoned));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, shot: &mut Shot) -> Result<Next> {
        let nothing = |state: &mut State| state.frame.is_none() && state.faults.is_empty() && !state.ended;
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, nothing);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = state.faults.pop_front() {
            return Ok(fault);
        }
        let Some(Envelope { encoding, number, time, taken, media_time }) = state.frame.take() else {
            return match state.ended {
                true => Err(Error::bug(format!("the thread of {} has ended", self.name))),
                false => Ok(Next::Nothing),
            };
        };
        match encoding {
            Encoding::Jpeg => shot.fill(&state.bytes, encoding, number),
            Encoding::Raw { .. } => {
                mem::swap(&mut shot.bytes, &mut state.bytes);
                (shot.encoding, shot.number) = (encoding, number);
            }
        }
        (shot.time, shot.taken, shot.media_time) = (time, taken, media_time);
        Ok(Next::Frame)
    }
}

/// Takes the outcome of the first connection.
pub(in crate::source) type Opened = Box<dyn FnOnce(std::result::Result<(), Fault>)>;

/// A source that a thread of its own reads.
pub(in crate::source) struct Remote {
    mailbox: Arc<Mailbox>,
    farewell: Duration,
}

impl Remote {
    /// Starts `read` in a thread and waits until it has told the outcome of the first connection. When the source is
    /// dropped, the thread has the time of `farewell` to take its leave.
    ///
    /// # Errors
    /// [`Error::Input`] with what the thread told; [`Error::Device`] if there can be no thread.
    pub fn start(
        name: &str,
        farewell: Duration,
        read: impl FnOnce(&Mailbox, Opened) + Send + 'static,
    ) -> Result<Self> {
        let state = Mutex::default();
        let mailbox = Arc::new(Mailbox { name: name.to_owned(), state, changed: Condvar::new() });
        let theirs = Ended(Arc::clone(&mailbox));
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        let run = move || {
            // The receiver waits until something is sent.
            read(&theirs.0, Box::new(move |outcome| drop(send.send(outcome))));
        };
        let spawned = thread::Builder::new().name("source".to_owned()).spawn(run);
        spawned.map_err(|source| Error::io(ErrorKind::Device, name.to_owned(), source))?;
        match receive.recv() {
            Ok(Ok(())) => Ok(Self { mailbox, farewell }),
            Ok(Err(fault)) => Err(fault.into_error(name)),
            Err(_) => Err(Error::bug(format!("the thread of {name} has ended"))),
        }
    }
}

impl Live for Remote {
    fn name(&self) -> &str {
        self.mailbox.name()
    }

    fn waits(&self) -> bool {
        false
    }

    fn next(&mut self, shot: &mut Shot) -> Result<Next> {
        self.mailbox.take(shot)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        let mut state = self.mailbox.lock();
        state.abandoned = true;
        self.mailbox.changed.notify_all();
        drop(self.mailbox.changed.wait_timeout_while(state, self.farewell, |state| !state.ended));
    }
}

/// Tells that the thread has ended, however it did.
struct Ended(Arc<Mailbox>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.changed.notify_all();
    }
}
