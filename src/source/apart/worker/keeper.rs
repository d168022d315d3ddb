//! Starts the process that works, and again when it has died.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::exit;

use super::super::message::{Answer, Ask, Death, Order, Request, receive_first, send};
use super::super::sealing::call_apart;
use super::work;
use crate::error::{Error, ErrorKind, Result};
use crate::system::{self, Forked};

/// Most bytes of what a process has written that are read: more than a pipe holds, since what is left would be
/// taken for the last words of the next one.
const LAST: u64 = 4 << 20;

/// Serves the source that the order on standard input names. It reads nothing of the source itself: it splits
/// off a process that does, and another one when that has died. Starting those from here rather than anew
/// leaves the program free to give up the right to start any.
///
/// # Errors
/// [`Error::Settings`] if standard input and output are not those of a [`super::super::process::Process`].
pub(crate) fn keep() -> Result<()> {
    let foreign = |_| Error::settings("apart", "no order", "`edgeclip run`, which starts this by itself");
    let own = |descriptor: io::Result<std::os::fd::OwnedFd>| descriptor.map_err(foreign);
    let mut control = UnixStream::from(own(io::stdin().as_fd().try_clone_to_owned())?);
    let shared = File::from(own(io::stdout().as_fd().try_clone_to_owned())?);
    let order: Order = receive_first(&mut control).map_err(foreign)?;
    call_apart();
    serve_order(&mut control, &shared, &order)
}

/// The same with an order that is known.
///
/// # Errors
/// [`Error::Device`] if a process cannot be waited for, or no descriptor is left.
pub(in crate::source::apart) fn serve_order(
    control: &mut UnixStream,
    shared: &File,
    order: &Order,
) -> Result<()> {
    let device = |source| Error::io(ErrorKind::Device, "apart", source);
    system::depend_on_parent();
    let (mut last, errors) = last_lines().map_err(device)?;
    loop {
        let death = match system::fork() {
            Ok(Forked::New) => {
                drop(last);
                // Without it, they go where everything goes.
                let _ = system::divert_errors(errors.as_fd());
                let worked = control.try_clone().and_then(|control| work(control, shared, order));
                if let Err(error) = &worked {
                    // Nobody is told of a source that nobody waits for.
                    let _ = send(control, &Answer::Panicked(error.to_string()));
                }
                exit(i32::from(worked.is_err()));
            }
            Ok(Forked::Old(process)) => {
                let status = system::wait(process).map_err(device)?;
                let mut text = Vec::new();
                // It would wait at the end.
                let _ = last.by_ref().take(LAST).read_to_end(&mut text);
                Death::of(status, &String::from_utf8_lossy(&text))
            }
            Err(error) => Some(Death::Missing(format!("it cannot be started ({error})"))),
        };
        if let Some(death) = death
            && send(control, &Answer::Died(death)).is_err()
        {
            return Ok(());
        }
        // What the dead one was asked has no answer.
        loop {
            match Request::receive(control) {
                Ok(Request { ask: Ask::Again, .. }) => break,
                Ok(_) => {}
                Err(_) => return Ok(()),
            }
        }
    }
}

/// What a process writes on its standard error besides messages: why an allocation failed, what the C library
/// has found. So much of it as a pipe holds.
fn last_lines() -> io::Result<(PipeReader, PipeWriter)> {
    let (last, errors) = io::pipe()?;
    system::never_wait(last.as_fd())?;
    system::never_wait(errors.as_fd())?;
    Ok((last, errors))
}
