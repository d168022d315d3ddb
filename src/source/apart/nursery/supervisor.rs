//! Starts the nursery, and another one when it has died.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use super::nurse::Nurse;
use super::{Reply, Wish};
use crate::error::{Error, Result};
use crate::source::apart::message::{Order, receive_first, send};
use crate::source::apart::sealing::{call_apart, seal_nursery};
use crate::system::{self, Forked, send_descriptors};

struct Supervisor {
    control: UnixStream,
    orders: Vec<Order>,
    nursery: Option<i32>,
    /// How readily the system kills it, which its children inherit.
    readiness: Option<File>,
}

/// A nursery, as seen from its own process, and its connection, as seen from this one.
enum Another {
    Here(Nurse),
    There(UnixStream),
}

/// Serves whoever is at the other end of standard input, until nobody is. It does nothing by itself: of all
/// processes here, it is the one that nobody can start again.
///
/// # Errors
/// [`Error::Settings`] if standard input is no connection.
pub(crate) fn serve() -> Result<()> {
    let foreign = |_| Error::settings("apart", "no order", "`edgeclip run`, which starts this by itself");
    let control = system::take_stdin().map_err(foreign)?;
    system::depend_on_parent();
    call_apart();
    let readiness = OpenOptions::new().write(true).open("/proc/self/oom_score_adj").ok();
    let mut supervisor = Supervisor { control: control.into(), orders: Vec::new(), nursery: None, readiness };
    let mut nurse = loop {
        let Ok(wish) = receive_first(&mut supervisor.control) else { return Ok(()) };
        if let Some(nurse) = supervisor.answer(wish).map_err(foreign)? {
            break nurse;
        }
    };
    // This is the nursery, which has nothing of its supervisor's.
    drop(supervisor);
    system::depend_on_parent();
    nurse.serve().map_err(foreign)
}

impl Supervisor {
    /// Does what is wished for; in the process that is split off for that, returns what it is to do.
    fn answer(&mut self, wish: Wish) -> io::Result<Option<Nurse>> {
        let done = match wish {
            Wish::Seal(orders) => {
                self.orders = orders;
                seal_nursery(&self.orders)
            }
            Wish::Nursery => match self.another() {
                Ok(Another::Here(nurse)) => return Ok(Some(nurse)),
                Ok(Another::There(theirs)) => {
                    send(&mut self.control, &Reply::Done)?;
                    return send_descriptors(&self.control, [theirs.as_fd()]).map(|()| None);
                }
                Err(error) => Err(error),
            },
        };
        let reply = done.map_or_else(|error| Reply::Refused(error.to_string()), |()| Reply::Done);
        send(&mut self.control, &reply).map(|()| None)
    }

    fn another(&mut self) -> io::Result<Another> {
        if let Some(before) = self.nursery.take() {
            // One that is asked for nothing any more.
            system::kill(before);
            let _ = system::wait(before);
        }
        let (ours, theirs) = UnixStream::pair()?;
        // Of all processes here, those that decode go first when the memory is full.
        self.be_ready(b"500");
        let forked = system::fork();
        Ok(match forked? {
            Forked::New => Another::Here(Nurse::new(ours, std::mem::take(&mut self.orders))),
            Forked::Old(nursery) => {
                self.be_ready(b"0");
                self.nursery = Some(nursery);
                Another::There(theirs)
            }
        })
    }

    fn be_ready(&mut self, points: &[u8]) {
        let _ = self.readiness.as_mut().map(|file| file.write_all(points));
    }
}
