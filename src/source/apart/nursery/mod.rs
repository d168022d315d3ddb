//! Where decoders come from once the program is sealed: a process that splits off their keepers, and another one
//! that was started before the seal and splits off that one, again when it has died. They start nothing for
//! addresses that they were not told of beforehand.

mod nurse;
mod supervisor;

pub(crate) use supervisor::serve;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

use super::message::{COMMAND, Order, receive_first, send};
use crate::system::receive_descriptors;

/// The connections, once there is a supervisor.
static NURSERY: Mutex<Option<Nursery>> = Mutex::new(None);
/// Whether the supervisor has died, after whom nobody starts anything any more.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// As seen from the sealed program.
struct Nursery {
    supervisor: UnixStream,
    /// To the process that splits off keepers; `None` once it has died.
    control: Option<UnixStream>,
    /// How many of those there have been.
    generation: u64,
}

/// What it is asked.
#[derive(Debug, Serialize, Deserialize)]
enum Request {
    /// A keeper for this order.
    Start(Order),
    /// The end of the keeper with this number.
    End(i32),
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    Done,
    /// The number of a keeper, whose socket and shared file follow.
    Started(i32),
    Refused(String),
}

/// What the supervisor is asked.
#[derive(Debug, Serialize, Deserialize)]
enum Wish {
    /// To seal itself, for sources that will be read.
    Seal(Vec<Order>),
    /// A nursery in place of the one before, to which the descriptor behind the answer leads.
    Nursery,
}

/// A keeper that has been started.
#[derive(Debug)]
pub(super) struct Started {
    pub keeper: Keeper,
    pub control: UnixStream,
    pub shared: File,
}

/// Who has started it, and its number there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keeper {
    generation: u64,
    number: i32,
}

/// Starts the supervisor for sources with these orders.
///
/// # Errors
/// It cannot be started, or its kernel cannot seal.
pub(super) fn begin(orders: Vec<Order>) -> io::Result<()> {
    let (control, theirs) = UnixStream::pair()?;
    Command::new("/proc/self/exe")
        .args([COMMAND, "--nursery", "--log", &LevelFilter::current().to_string()])
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .spawn()?;
    let mut nursery = Nursery { supervisor: control, control: None, generation: 0 };
    nursery.wish(&Wish::Seal(orders))?;
    *NURSERY.lock().unwrap_or_else(PoisonError::into_inner) = Some(nursery);
    Ok(())
}

/// Whether no process can be started any more, and none is left.
pub(super) fn is_lost() -> bool {
    IS_LOST.load(Ordering::Relaxed)
}

/// Has a keeper started; `None` if nobody has begun a nursery.
///
/// # Errors
/// The system has no process left, the order is for another source, or nobody is left to start any.
pub(super) fn start(order: &Order) -> Option<io::Result<Started>> {
    let mut nursery = NURSERY.lock().unwrap_or_else(PoisonError::into_inner);
    Some(nursery.as_mut()?.start(order))
}

/// Ends a keeper, unless its nursery has died, and it with that.
pub(super) fn end(keeper: Keeper) {
    let mut nursery = NURSERY.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(nursery) = nursery.as_mut()
        && nursery.generation == keeper.generation
        && let Some(control) = &mut nursery.control
    {
        let _ = exchange(control, &Request::End(keeper.number));
    }
}

impl Nursery {
    fn start(&mut self, order: &Order) -> io::Result<Started> {
        // One that has died since it was used last is noticed when it is used.
        let first = self.try_start(order);
        match first {
            Err(_) if self.control.is_none() && !is_lost() => self.try_start(order),
            started => started,
        }
    }

    fn try_start(&mut self, order: &Order) -> io::Result<Started> {
        let mut control = match self.control.take() {
            Some(control) => control,
            None => self.another()?,
        };
        let (number, descriptors) = match exchange(&mut control, &Request::Start(order.clone()))? {
            Reply::Refused(why) => {
                self.control = Some(control);
                return Err(io::Error::other(why));
            }
            Reply::Started(number) => (number, receive_descriptors(&control)?),
            Reply::Done => return Err(io::ErrorKind::InvalidData.into()),
        };
        self.control = Some(control);
        let keeper = Keeper { generation: self.generation, number };
        let [control, shared] = descriptors;
        Ok(Started { keeper, control: control.into(), shared: shared.into() })
    }

    /// A connection to another process that splits off keepers.
    fn another(&mut self) -> io::Result<UnixStream> {
        self.wish(&Wish::Nursery)?;
        let [control] = receive_descriptors(&self.supervisor)?;
        self.generation += 1;
        Ok(control.into())
    }

    fn wish(&mut self, wish: &Wish) -> io::Result<()> {
        let answer = send(&mut self.supervisor, wish).and_then(|()| receive_first(&mut self.supervisor));
        match answer {
            Ok(Reply::Refused(why)) => Err(io::Error::other(why)),
            Ok(_) => Ok(()),
            Err(error) => {
                IS_LOST.store(true, Ordering::Relaxed);
                Err(io::Error::other(format!("the process that starts decoders has died ({error})")))
            }
        }
    }
}

fn exchange(control: &mut UnixStream, request: &Request) -> io::Result<Reply> {
    send(control, request)?;
    receive_first(control)
}
