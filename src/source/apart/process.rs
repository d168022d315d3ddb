//! A process that reads or decodes for this one, as seen from here.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio, exit};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use super::message::{Answer, Ask, COMMAND, Death, Inbox, Order, Request, send};
use super::nursery::{self, Started};
use super::program;
use super::worker::keep;
use crate::system::{self, Forked, memory_file};

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

/// A process for this order.
///
/// # Errors
/// It cannot be started.
pub(super) fn take(order: &Order) -> io::Result<Process> {
    let mut waiting = idle();
    if let Some(at) = waiting.iter().position(|process| process.order == *order) {
        return Ok(waiting.swap_remove(at));
    }
    drop(waiting);
    Process::start(order.clone())
}

/// Ends the process that waits with this order, if there is one.
pub(super) fn dismiss(order: &Order) {
    let mut waiting = idle();
    let found = waiting.iter().position(|process| process.order == *order);
    let dismissed = found.map(|at| waiting.swap_remove(at));
    // Ending it takes a moment.
    drop(waiting);
    drop(dismissed);
}

/// What is found where a process cannot be started, and what is expected.
pub(super) fn missing(error: &impl Display) -> (String, &'static str) {
    let expected = "a process of its own for this source: fewer processes and threads, or a higher limit \
                    (TasksMax= of the service, ulimit -u)";
    (format!("no process to read it ({error})"), expected)
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

#[derive(Debug)]
enum Keeper {
    Started(Child),
    /// The number of a process.
    Forked(i32),
    /// By the nursery.
    Nursed(nursery::Keeper),
}

impl Process {
    /// Executes the program as the keeper.
    ///
    /// # Errors
    /// The system has no process or descriptor left.
    fn start(order: Order) -> io::Result<Self> {
        if let Some(started) = nursery::start(&order) {
            let Started { keeper, control, shared } = started?;
            return Self::new(order, Keeper::Nursed(keeper), control, shared);
        }
        Self::with(order, |control, theirs, shared| {
            let mut command = Command::new(program::path());
            command.args([COMMAND, "--log", &LevelFilter::current().to_string()]);
            command.stdin(Stdio::from(theirs)).stdout(Stdio::from(shared.try_clone()?));
            Ok((control, Keeper::Started(command.spawn()?)))
        })
    }

    /// Splits the keeper off this process, which has one thread and no other such process yet: they would
    /// inherit each other's connections. Nothing is executed, so that emulators can do it as well.
    ///
    /// # Errors
    /// The system has no process or descriptor left.
    pub(super) fn fork(order: Order) -> io::Result<Self> {
        Self::with(order, |control, theirs, shared| match system::fork()? {
            Forked::Old(keeper) => Ok((control, Keeper::Forked(keeper))),
            Forked::New => {
                drop(control);
                let kept = system::set_standard(theirs.as_fd(), shared.as_fd()).is_ok_and(|()| {
                    drop(theirs);
                    keep().is_ok()
                });
                exit(i32::from(!kept));
            }
        })
    }

    fn with(
        order: Order,
        keeper: impl FnOnce(UnixStream, OwnedFd, &File) -> io::Result<(UnixStream, Keeper)>,
    ) -> io::Result<Self> {
        let (control, theirs) = UnixStream::pair()?;
        let shared = memory_file(c"edgeclip-frames")?;
        let (mut control, keeper) = keeper(control, theirs.into(), &shared)?;
        send(&mut control, &order)?;
        Self::new(order, keeper, control, shared)
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
        if self.control.write_all(&Request::plain(Ask::Again).to_bytes()).is_err() {
            *self = Self::start(self.order.clone())?;
        }
        self.ended = false;
        Ok(())
    }

    /// Asks it for something. If nobody is there, the answer says so.
    pub(super) fn ask(&mut self, request: Request) {
        let _ = self.control.write_all(&request.to_bytes());
    }

    /// What it has said, within a moment.
    pub(super) fn receive(&mut self) -> Option<Answer> {
        let answer = match self.inbox.receive(&mut self.control) {
            Ok(None) => return None,
            Ok(Some(Answer::Panicked(why))) => {
                self.last_words = Some(why);
                return None;
            }
            Ok(Some(Answer::Died(how))) => Answer::Died(self.last_words.take().map_or(how, Death::Panicked)),
            Ok(Some(answer)) => answer,
            Err(error) => Answer::Died(Death::Missing(format!("its connection ended ({error})"))),
        };
        self.ended = matches!(answer, Answer::Refused(_) | Answer::Died(_) | Answer::End);
        Some(answer)
    }

    /// What is told of its death.
    pub(super) fn told(&self, death: &Death) -> String {
        death.told(&self.order)
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
            Keeper::Started(keeper) => {
                let _ = keeper.kill();
                let _ = keeper.wait();
            }
            Keeper::Forked(keeper) => {
                system::kill(*keeper);
                let _ = system::wait(*keeper);
            }
            Keeper::Nursed(keeper) => nursery::end(*keeper),
        }
    }
}
