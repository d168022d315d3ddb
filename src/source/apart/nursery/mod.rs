//! Where decoders come from once the program is sealed: a process that was started before, and splits off
//! their keepers. It starts nothing for addresses that it was not told of before the seal.

mod serve;

pub(crate) use serve::serve;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

use super::message::{COMMAND, Order, receive_first, send};
use crate::system::receive_descriptors;

/// The connection to it, once there is one.
static NURSERY: Mutex<Option<UnixStream>> = Mutex::new(None);

/// What it is asked.
#[derive(Debug, Serialize, Deserialize)]
enum Request {
    /// Sources that will be read. Then it seals itself.
    Begin(Vec<Order>),
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

/// A keeper that it has started.
#[derive(Debug)]
pub(super) struct Started {
    pub keeper: i32,
    pub control: UnixStream,
    pub shared: File,
}

/// Starts it for sources with these orders.
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
    *NURSERY.lock().unwrap_or_else(PoisonError::into_inner) = Some(control);
    match ask(&Request::Begin(orders), |reply, _| Ok(reply)) {
        Some(reply) => reply.map(drop),
        None => Err(io::ErrorKind::NotConnected.into()),
    }
}

/// Has a keeper started; `None` if nobody has begun a nursery.
///
/// # Errors
/// The system has no process left, the order is for another source, or the nursery has died.
pub(super) fn start(order: &Order) -> Option<io::Result<Started>> {
    ask(&Request::Start(order.clone()), |reply, control| {
        let Reply::Started(keeper) = reply else { return Err(io::ErrorKind::InvalidData.into()) };
        let [control, shared] = receive_descriptors(control)?;
        Ok(Started { keeper, control: control.into(), shared: shared.into() })
    })
}

/// Ends a keeper that it has started.
pub(super) fn end(keeper: i32) {
    let _ = ask(&Request::End(keeper), |_, _| Ok(()));
}

fn ask<T>(
    request: &Request,
    take: impl FnOnce(Reply, &UnixStream) -> io::Result<T>,
) -> Option<io::Result<T>> {
    let mut nursery = NURSERY.lock().unwrap_or_else(PoisonError::into_inner);
    let control = nursery.as_mut()?;
    let mut answered = || {
        let gone = |error: io::Error| {
            io::Error::other(format!("the process that starts decoders has died ({error}): restart edgeclip"))
        };
        send(control, request).map_err(gone)?;
        receive_first(control).map_err(gone)
    };
    Some(match answered() {
        Ok(Reply::Refused(why)) => Err(io::Error::other(why)),
        Ok(reply) => take(reply, control),
        Err(error) => Err(error),
    })
}
