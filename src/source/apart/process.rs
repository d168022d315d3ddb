//! A process that reads or decodes for this one, as seen from here.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::message::{AGAIN, Answer, COMMAND, Inbox, Order, send};
use super::nursery::{self, Started};
use crate::error::{Error, Result};
use crate::system::memory_file;

/// Longest wait within one call.
pub(super) const POLL: Duration = Duration::from_millis(200);

/// Processes that wait for somebody to use them: those started beforehand, and those whose source could not
/// be opened.
static IDLE: Mutex<Vec<Process>> = Mutex::new(Vec::new());

fn idle() -> MutexGuard<'static, Vec<Process>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process for [`take`]. If that fails, so will `take`, which says why.
pub(super) fn prepare(order: Order) {
    if let Ok(process) = Process::start(order) {
        idle().push(process);
    }
}

/// A process for this order, which belongs to the source `name`.
///
/// # Errors
/// [`Error::Device`] if it cannot be started.
pub(super) fn take(name: &str, order: Order) -> Result<Process> {
    let mut waiting = idle();
    if let Some(at) = waiting.iter().position(|process| process.order == order) {
        return Ok(waiting.swap_remove(at));
    }
    drop(waiting);
    Process::start(order).map_err(|error| {
        let expected = "a process of its own for this source: fewer processes, or a higher limit (TasksMax= of \
                        the service, ulimit -u)";
        Error::device(name, format!("no process to read it ({error})"), expected)
    })
}

/// Two processes: one that works, and its keeper, which starts it again.
#[derive(Debug)]
pub(super) struct Process {
    order: Order,
    keeper: Keeper,
    control: UnixStream,
    inbox: Inbox,
    /// Where frames are.
    pub shared: File,
    /// Why it panicked.
    last_words: Option<String>,
    /// Whether it has ended, and is to be started again.
    ended: bool,
}

/// The process that starts the other one.
#[derive(Debug)]
enum Keeper {
    Own(Child),
    /// Its number with the nursery, which has started it.
    Nursed(i32),
}

impl Process {
    fn start(order: Order) -> io::Result<Self> {
        if let Some(started) = nursery::start(&order) {
            let Started { keeper, control, shared } = started?;
            return Self::new(order, Keeper::Nursed(keeper), control, shared);
        }
        let (mut control, theirs) = UnixStream::pair()?;
        let shared = memory_file(c"edgeclip-frames")?;
        let keeper = Command::new("/proc/self/exe")
            .args([COMMAND, "--log", &LevelFilter::current().to_string()])
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(shared.try_clone()?))
            .spawn()?;
        send(&mut control, &order)?;
        Self::new(order, Keeper::Own(keeper), control, shared)
    }

    fn new(order: Order, keeper: Keeper, control: UnixStream, shared: File) -> io::Result<Self> {
        control.set_read_timeout(Some(POLL))?;
        Ok(Self { order, keeper, control, inbox: Inbox::default(), shared, last_words: None, ended: false })
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Has it started again where it has ended.
    ///
    /// # Errors
    /// Its keeper has ended as well, and cannot be started.
    pub(super) fn revive(&mut self) -> io::Result<()> {
        if !self.ended {
            return Ok(());
        }
        if self.control.write_all(&[AGAIN]).is_err() {
            *self = Self::start(self.order.clone())?;
        }
        self.ended = false;
        Ok(())
    }

    /// Asks it for something. If nobody is there, the answer says so.
    pub(super) fn ask(&mut self, request: &[u8]) {
        let _ = self.control.write_all(request);
    }

    /// What it has said, within a moment.
    pub(super) fn receive(&mut self) -> Option<Answer> {
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
        self.ended = matches!(answer, Answer::Refused(_) | Answer::Died(_) | Answer::End);
        Some(answer)
    }

    /// Leaves it for the next one with the same order.
    pub(super) fn leave(self) {
        idle().push(self);
    }
}

/// Ends both processes: one that is busy would not notice.
impl Drop for Process {
    fn drop(&mut self) {
        match &mut self.keeper {
            Keeper::Own(keeper) => {
                let _ = keeper.kill();
                let _ = keeper.wait();
            }
            Keeper::Nursed(keeper) => nursery::end(*keeper),
        }
    }
}

/// What is told of one that died.
pub(super) fn died(why: &str) -> String {
    format!("the decoder died: {why}; it is started again")
}
