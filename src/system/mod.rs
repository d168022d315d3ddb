//! The machine: service manager, processor, memory, clocks, temperatures, screen, and TLS, and how a process gives up its rights. Files are read below a root folder,
//! so that tests can supply a machine of their own.

mod bounded;
mod clock;
mod console;
mod cpu;
mod errors;
mod folder;
mod framebuffer;
mod isolation;
mod memory;
mod notify;
mod program;
mod rights;
mod room;
mod seal;
mod thermal;
mod threads;
mod tls;

pub(crate) use bounded::{Affordable, read_within};
#[cfg(feature = "notify")]
pub(crate) use clock::minute_of_day;
pub(crate) use clock::{Reading, WallClock};
pub(crate) use console::HiddenConsole;
pub(crate) use cpu::cpu;
pub(crate) use errors::{Errors, divert_errors, never_wait};
pub(crate) use folder::{FileId, Folder, Space};
#[cfg(test)]
pub(crate) use framebuffer::Channel;
pub(crate) use framebuffer::{Screen, screen, wake};
pub(crate) use isolation::{
    Forked, depend_on_parent, fork, ignore_hangup, kill, limit_memory, limit_time, memory_file, set_standard,
    take_stdin, unlimit_waiting, wait,
};
pub(crate) use memory::{memory, set_trim_threshold, trim_heap};
pub(crate) use notify::{State, connect as connect_notify, notify};
pub(crate) use program::Program;
pub(crate) use rights::{receive_descriptors, send_descriptors};
pub(crate) use room::room;
pub(crate) use seal::{Grant, Kernel, NAME_SERVER, Profile, Reach, Right, machine, resolver, seal};
pub(crate) use thermal::{Thermal, Zone, thermal};
pub(crate) use threads::{beside, no_thread, start as start_thread};
#[cfg(any(feature = "mqtt", feature = "notify"))]
pub(crate) use tls::first_line;
#[cfg(feature = "serve")]
pub(crate) use tls::read_secret;
pub(crate) use tls::trusted;
#[cfg(any(feature = "http", feature = "mqtt", feature = "notify"))]
pub(crate) use tls::{Trust, client as tls_client};
#[cfg(any(feature = "mqtt", feature = "serve"))]
pub(crate) use tls::{certificates, private_key};

use std::fs;
use std::path::Path;

/// A small file's text, trimmed of whitespace and zero bytes; `None` if it cannot be read.
fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned())
}

/// The integer in a small file; `None` if there is none.
fn number(path: &Path) -> Option<i64> {
    text(path)?.parse().ok()
}
