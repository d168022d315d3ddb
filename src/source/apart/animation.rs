//! An animation that another process decodes.

use std::io::{self, Read};

use super::decoder::{AGAIN, missing, send};
use super::memory::take;
use super::message::{Answer, Ask, Death, Order, Request};
use super::process::{self, Process};
use crate::error::{Error, Result};
use crate::source::container::{Container, Cutout, Piece};
use crate::source::limits;
use crate::source::live::Encoding;

/// Frames of an animation. If the process dies, the frame that it was at is tried again.
pub(super) struct Animation {
    name: String,
    /// The file.
    bytes: Vec<u8>,
    process: Option<Process>,
    /// Frames so far.
    given: u64,
    /// How often the process has died since the last frame.
    deaths: u8,
    pixels: Vec<u8>,
    encoding: Encoding,
    ended: bool,
}

impl Animation {
    /// Opens the animation that `file` holds; `None` if it is a still picture.
    ///
    /// # Errors
    /// Same as those of [`crate::source::animation::Animation::open`];
    /// [`Error::Input`] if no process can be started.
    pub(super) fn open(name: String, file: impl Read, order: &Order) -> Result<Option<Self>> {
        let limits = limits::current();
        let mut bytes = Vec::new();
        let io = |source| Error::io(crate::error::ErrorKind::Input, name.clone(), source);
        file.take(limits.bytes + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > limits.bytes {
            let found = format!("an animation of more than {} bytes", limits.bytes);
            return Err(Error::input(name, found, limits.advice()));
        }
        let process = process::take(order).map_err(|error| missing(&name, &error))?;
        let mut animation = Self {
            name,
            bytes,
            process: Some(process),
            given: 0,
            deaths: 0,
            pixels: Vec::new(),
            encoding: Encoding::Jpeg,
            ended: false,
        };
        loop {
            match animation.start() {
                Ok(Answer::Opened) => return Ok(Some(animation)),
                Ok(Answer::Failed(error)) => return Err(error.into()),
                Ok(_) => return Ok(None),
                Err(death) if animation.deaths < AGAIN && death.is_chance() => animation.deaths += 1,
                Err(death) => {
                    return Err(Error::input(&animation.name, animation.told(&death), "an animation"));
                }
            }
        }
    }

    /// Has the file opened.
    fn start(&mut self) -> std::result::Result<Answer, Death> {
        let Some(process) = &mut self.process else { return Ok(Answer::Still) };
        send(process, Ask::Animation, &self.name, &self.bytes).map_err(lost)?;
        answer(process)
    }

    /// What comes behind the frames so far.
    fn advance(&mut self) -> std::result::Result<Answer, Death> {
        let again = self.process.as_ref().is_some_and(Process::has_ended);
        let mut skip = 0;
        if again {
            if let Answer::Opened = self.start()? {
                skip = self.given;
            } else {
                return Ok(Answer::Still);
            }
        }
        loop {
            let Some(process) = &mut self.process else { return Ok(Answer::Still) };
            process.ask(Request::plain(Ask::Next));
            match answer(process)? {
                Answer::Frame(_) if skip > 0 => skip -= 1,
                answer => return Ok(answer),
            }
        }
    }

    fn told(&self, death: &Death) -> String {
        self.process.as_ref().map_or_else(String::new, |process| process.told(death))
    }

    fn broken(&mut self, why: String) -> Piece<'_> {
        self.ended = true;
        Piece::Broken(why)
    }
}

fn lost(error: io::Error) -> Death {
    Death::Missing(format!("no memory to share, or no process ({error})"))
}

/// What the process answers. It has limits of its own, and tells when they have ended it.
fn answer(process: &mut Process) -> std::result::Result<Answer, Death> {
    loop {
        match process.receive() {
            Some(Answer::Died(death)) => return Err(death),
            Some(answer) => return Ok(answer),
            None => {}
        }
    }
}

impl Container for Animation {
    fn next(&mut self) -> Result<Piece<'_>> {
        if self.ended {
            return Ok(Piece::End);
        }
        let answer = loop {
            match self.advance() {
                Ok(answer) => break answer,
                Err(death) if self.deaths < AGAIN && death.is_chance() => self.deaths += 1,
                Err(death) => {
                    let why = format!("a broken animation ({}), which ends here", self.told(&death));
                    return Ok(self.broken(why));
                }
            }
        };
        match answer {
            Answer::Frame(header) => {
                let most = 3 * limits::MAX_PIXELS;
                let taken = self.process.as_ref().filter(|_| header.length as u64 <= most);
                let taken = taken.map(|process| take(&process.shared, &mut self.pixels, header.length));
                if !matches!(taken, Some(Ok(()))) {
                    return Ok(self.broken(format!("a frame of {} bytes that is not there", header.length)));
                }
                (self.given, self.deaths) = (self.given + 1, 0);
                self.encoding = header.encoding();
                Ok(Piece::Frame(Cutout { bytes: &self.pixels, encoding: self.encoding, time: header.time }))
            }
            Answer::Broken(why) => Ok(Piece::Broken(why)),
            _ => {
                self.ended = true;
                Ok(Piece::End)
            }
        }
    }
}

/// Leaves the process for the next pass.
impl Drop for Animation {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.leave();
        }
    }
}
