//! Splits off keepers, and ends them.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::exit;

use super::{Reply, Request};
use crate::source::apart::message::{Job, Order, receive_first, send};
use crate::source::apart::worker::serve_order;
use crate::system::{self, Forked, memory_file, send_descriptors};

/// The nursery itself.
pub(super) struct Nurse {
    control: UnixStream,
    /// Cameras that there may be keepers for.
    orders: Vec<Order>,
    keepers: Vec<i32>,
}

impl Nurse {
    pub(super) fn new(control: UnixStream, orders: Vec<Order>) -> Self {
        Self { control, orders, keepers: Vec::new() }
    }

    /// Serves whoever is at the other end, until nobody is.
    ///
    /// # Errors
    /// An answer cannot be sent.
    pub(super) fn serve(&mut self) -> io::Result<()> {
        while let Ok(request) = receive_first(&mut self.control) {
            self.answer(request)?;
        }
        Ok(())
    }

    fn answer(&mut self, request: Request) -> io::Result<()> {
        let reply = match request {
            Request::Start(order) if self.permits(&order) => match self.start(&order) {
                Ok((keeper, control, shared)) => {
                    send(&mut self.control, &Reply::Started(keeper))?;
                    return send_descriptors(&self.control, [control.as_fd(), shared.as_fd()]);
                }
                Err(error) => Reply::Refused(error.to_string()),
            },
            Request::Start(_) => Reply::Refused("a source that was not there before the seal".to_owned()),
            Request::End(keeper) => {
                self.end(keeper);
                Reply::Done
            }
        };
        send(&mut self.control, &reply)
    }

    /// Whether there may be a process with this order: one that connects only as it was said beforehand.
    fn permits(&self, order: &Order) -> bool {
        matches!(order.job, Job::Pictures { .. }) || self.orders.iter().any(|known| known.job == order.job)
    }

    fn start(&mut self, order: &Order) -> io::Result<(i32, UnixStream, File)> {
        let (ours, theirs) = UnixStream::pair()?;
        let shared = memory_file(c"edgeclip-frames")?;
        match system::fork()? {
            Forked::New => {
                self.control = theirs;
                drop(ours);
                let kept = serve_order(&mut self.control, &shared, order);
                exit(i32::from(kept.is_err()));
            }
            Forked::Old(keeper) => {
                self.keepers.push(keeper);
                Ok((keeper, ours, shared))
            }
        }
    }

    fn end(&mut self, keeper: i32) {
        if let Some(at) = self.keepers.iter().position(|other| *other == keeper) {
            self.keepers.swap_remove(at);
            system::kill(keeper);
            let _ = system::wait(keeper);
        }
    }
}
