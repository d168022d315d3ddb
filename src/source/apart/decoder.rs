//! Pictures that another process decodes.

use std::fmt::Display;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::memory::take;
use super::message::{Answer, Ask, Death, Order, Request};
use super::process::{self, Process};
use crate::error::{Error, Result};
use crate::source::limits::MAX_PIXELS;
use crate::source::live::Decode;
use crate::source::picture::Picture;

/// How often a picture is tried again whose decoder has died, as if by chance.
pub(super) const AGAIN: u8 = 2;

/// Decodes the pictures of one source, whose process is started with the first of them.
#[derive(Debug)]
pub(super) struct Decoder {
    order: Order,
    /// What its pictures may take.
    ask: Ask,
    process: Mutex<Option<Process>>,
}

impl Decoder {
    pub(super) fn new(order: Order, ask: Ask) -> Self {
        Self { order, ask, process: Mutex::new(None) }
    }

    /// The same with a process that is split off this one, which has one thread. If that fails, the first
    /// picture tells.
    pub(super) fn fork(order: Order, ask: Ask) -> Self {
        let process = Process::fork(order.clone()).ok();
        Self { order, ask, process: Mutex::new(process) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Decode for Decoder {
    fn decode(&self, name: String, bytes: &[u8]) -> Result<Picture> {
        let mut process = self.lock();
        let process = match &mut *process {
            Some(process) => process,
            none => none.insert(process::take(&self.order).map_err(|error| missing(&name, &error))?),
        };
        let mut deaths = 0;
        loop {
            match attempt(process, self.ask, &name, bytes) {
                Ok(picture) => return picture,
                // It may have been killed for something else.
                Err(death) if deaths < AGAIN && death.is_chance() => deaths += 1,
                Err(Death::Missing(why)) => return Err(missing(&name, &why)),
                Err(death) => {
                    return Err(Error::input(name, process.told(&death), "a picture that can be decoded"));
                }
            }
        }
    }

    fn dismiss(&self) {
        self.lock().take();
        process::dismiss(&self.order);
    }
}

/// An error of the picture alone, whatever the reason: others may have a process.
pub(super) fn missing(name: &str, error: &impl Display) -> Error {
    let (found, expected) = process::missing(error);
    Error::input(name, found, expected)
}

/// Leaves the process for the next one with the same order.
impl Drop for Decoder {
    fn drop(&mut self) {
        if let Some(process) = self.lock().take() {
            process.leave();
        }
    }
}

/// Sends a file, and asks something about it.
///
/// # Errors
/// There is no process.
pub(super) fn send(process: &mut Process, ask: Ask, name: &str, bytes: &[u8]) -> io::Result<()> {
    process.revive()?;
    let request = Request::file(ask, bytes.len(), name);
    let shown = name.as_bytes().get(..request.name as usize).unwrap_or_default();
    process.shared.write_all_at(bytes, 0)?;
    process.shared.write_all_at(shown, bytes.len() as u64)?;
    process.ask(request);
    Ok(())
}

/// Has a picture decoded.
///
/// # Errors
/// The process has died of it.
fn attempt(
    process: &mut Process,
    ask: Ask,
    name: &str,
    bytes: &[u8],
) -> std::result::Result<Result<Picture>, Death> {
    let lost = |error: io::Error| Death::Missing(format!("no memory to share, or no process ({error})"));
    send(process, ask, name, bytes).map_err(lost)?;
    // It has limits of its own, and tells when they have ended it.
    loop {
        match process.receive() {
            Some(Answer::Picture { width, height }) => {
                let pixels = u64::from(width) * u64::from(height);
                let length = usize::try_from(pixels.saturating_mul(3)).ok().filter(|_| pixels <= MAX_PIXELS);
                let Some(length) = length else {
                    let found = format!("{width}x{height} pixels");
                    return Ok(Err(Error::input(name, found, "a picture that can be decoded")));
                };
                let mut data = Vec::new();
                take(&process.shared, &mut data, length).map_err(lost)?;
                return Ok(Ok(Picture { name: name.to_owned(), width, height, data }));
            }
            Some(Answer::Failed(error)) => return Ok(Err(Error::from(error).renamed(name))),
            Some(Answer::Died(death)) => return Err(death),
            _ => {}
        }
    }
}
