//! The nursery itself.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::exit;

use super::{Reply, Request};
use crate::error::{Error, Result};
use crate::source::apart::message::{Job, Order, receive_first, send};
use crate::source::apart::sealing::{self, seal_nursery};
use crate::source::apart::worker::serve_order;
use crate::system::{self, Forked, memory_file, send_descriptors};

struct Nursery {
    control: UnixStream,
    orders: Vec<Order>,
    keepers: Vec<i32>,
    /// How readily the system kills it, which its children inherit.
    readiness: Option<File>,
}

/// Serves whoever is at the other end of standard input, until nobody is.
///
/// # Errors
/// [`Error::Settings`] if standard input is no connection.
pub(crate) fn serve() -> Result<()> {
    let foreign = |_| Error::settings("apart", "no order", "`edgeclip run`, which starts this by itself");
    let control = system::take_stdin().map_err(foreign)?;
    system::depend_on_parent();
    sealing::call_apart();
    let readiness = OpenOptions::new().write(true).open("/proc/self/oom_score_adj").ok();
    let mut nursery = Nursery { control: control.into(), orders: Vec::new(), keepers: Vec::new(), readiness };
    while let Ok(request) = receive_first(&mut nursery.control) {
        nursery.answer(request).map_err(foreign)?;
    }
    Ok(())
}

impl Nursery {
    fn answer(&mut self, request: Request) -> io::Result<()> {
        let done = match request {
            Request::Begin(orders) => {
                self.orders = orders;
                seal_nursery(&self.orders)
            }
            Request::Start(order) if self.permits(&order) => match self.start(&order) {
                Ok((keeper, control, shared)) => {
                    send(&mut self.control, &Reply::Started(keeper))?;
                    return send_descriptors(&self.control, [control.as_fd(), shared.as_fd()]);
                }
                Err(error) => Err(error),
            },
            Request::Start(_) => Err(io::Error::other("a source that was not there before the seal")),
            Request::End(keeper) => {
                self.end(keeper);
                Ok(())
            }
        };
        let reply = done.map_or_else(|error| Reply::Refused(error.to_string()), |()| Reply::Done);
        send(&mut self.control, &reply)
    }

    /// Whether there may be a process with this order: one that connects only as it was said beforehand.
    fn permits(&self, order: &Order) -> bool {
        matches!(order.job, Job::Pictures { .. }) || self.orders.iter().any(|known| known.job == order.job)
    }

    fn start(&mut self, order: &Order) -> io::Result<(i32, UnixStream, File)> {
        let (ours, theirs) = UnixStream::pair()?;
        let shared = memory_file(c"edgeclip-frames")?;
        self.be_ready(b"500");
        let forked = system::fork();
        match forked? {
            Forked::New => {
                self.control = theirs;
                drop(ours);
                let kept = serve_order(&mut self.control, &shared, order);
                exit(i32::from(kept.is_err()));
            }
            Forked::Old(keeper) => {
                self.be_ready(b"0");
                self.keepers.push(keeper);
                Ok((keeper, ours, shared))
            }
        }
    }

    /// How readily the system kills a process for its memory: of all here, those that decode go first.
    fn be_ready(&mut self, points: &[u8]) {
        let _ = self.readiness.as_mut().map(|file| file.write_all(points));
    }

    fn end(&mut self, keeper: i32) {
        if let Some(at) = self.keepers.iter().position(|other| *other == keeper) {
            self.keepers.swap_remove(at);
            system::kill(keeper);
            let _ = system::wait(keeper);
        }
    }
}
