//! The process that reads or decodes, and the one that starts it again when it dies.

mod camera;
mod keeper;
mod pictures;

pub(crate) use keeper::keep;
pub(super) use keeper::serve_order;

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::panic::{self, PanicHookInfo};
use std::process::abort;

use super::here::here;
use super::message::{Answer, Job, Order, Request, send};
use super::sealing::{is_sealed, seal_worker};
use crate::system;

/// Does what is asked for until nobody asks any more.
fn work(control: UnixStream, shared: &File, order: &Order) -> io::Result<()> {
    system::depend_on_parent();
    system::limit_memory(order.megabytes << 20);
    if !is_sealed() {
        // Of all processes here it is the one to be killed.
        let _ = fs::write("/proc/self/oom_score_adj", "500");
    }
    let last_words = control.try_clone()?;
    panic::set_hook(Box::new(move |panic| die(&last_words, panic)));
    crate::source::set_max_picture_mb(order.picture_mb);
    seal_worker(order)?;
    match &order.job {
        Job::Camera { address, fps, stall, ca } => {
            camera::work(control, shared, || here(address, *fps, *stall, ca.as_deref()))
        }
        Job::Pictures { .. } => pictures::work(control, shared),
    }
}

/// Waits until somebody asks for something; `None` if nobody does any more.
fn asked(control: &mut UnixStream) -> Option<Request> {
    system::unlimit_waiting();
    Request::receive(control).ok()
}

/// Tells why, and ends the process, whatever the profile says about panics.
fn die(mut last_words: &UnixStream, panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(|place| format!(" at {}:{}", place.file(), place.line()));
    let what = panic.payload_as_str().unwrap_or("a panic");
    let why = format!("{what}{}", place.unwrap_or_default()).replace(char::is_control, " ");
    let _ = send(&mut last_words, &Answer::Panicked(why.chars().take(300).collect()));
    let _ = last_words.flush();
    abort();
}
