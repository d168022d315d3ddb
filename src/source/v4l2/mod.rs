//! Video4Linux2 cameras: one buffer per frame, memory-mapped streaming.

mod control;
mod control_io;
mod device;
mod fourcc;
mod negotiate;
mod offers;

pub(crate) use control::ControlValue;
pub(crate) use fourcc::FourCc;
pub(crate) use negotiate::{Mode, Wish};
pub(crate) use offers::{NO_PERMISSION, Offer, Offers, cameras};

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use v4l::Device;
use v4l::buffer::{Flags, Type};
use v4l::io::mmap::Stream;
use v4l::io::traits::{CaptureStream, Stream as _};

use super::live::{CapturedFrame, Encoding, Live, Next};
use super::network::seconds;
use crate::error::{Error, Result};

/// Buffers that the driver fills in turn.
const BUFFERS: u32 = 4;
/// Longest wait for a frame; webcams in the dark need most of a second.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Consecutive stalls that end the source.
const MOST_STALLS: u32 = 3;
/// `POLLIN` of poll(2)
const READABLE: i16 = 1;
/// `ENODEV` of errno(3): unplugged.
const NO_DEVICE: i32 = 19;

/// A camera, set to one mode.
pub(crate) struct Camera {
    name: String,
    device: Device,
    mode: Mode,
    encoding: Encoding,
    /// `None` until the first frame and after a fault.
    stream: Option<Stream<'static>>,
    /// Number of the stream's first frame.
    first: u64,
    /// Number of the next frame if none is lost.
    next: u64,
    stalls: u32,
    /// Longest wait for a frame.
    stall: Duration,
}

impl Camera {
    /// Opens the camera at `path`, such as `/dev/video0`, in the mode closest to `wish`, and sets `controls`,
    /// pairs of name and value, in this order. Without a frame for `stall`, by default 5 s, it is started anew.
    ///
    /// # Errors
    /// [`Error::Device`] if the device does not exist, may not be opened, is not a camera, is in use by
    /// another program, or has no supported format; [`Error::Settings`] if it lacks the requested format, or
    /// such a control or value. The message says what to do instead.
    pub(crate) fn open(
        path: &Path,
        wish: &Wish,
        controls: &[(String, ControlValue)],
        stall: Option<Duration>,
    ) -> Result<Self> {
        let name = path.display().to_string();
        let device = offers::open(path)?;
        let (mode, encoding) = negotiate::negotiate(&name, &device, wish)?;
        control_io::set(&name, &device, controls)?;
        let stall = stall.unwrap_or(TIMEOUT);
        Ok(Self { name, device, mode, encoding, stream: None, first: 0, next: 0, stalls: 0, stall })
    }

    /// The mode that the driver has set.
    pub(crate) fn mode(&self) -> &Mode {
        &self.mode
    }

    /// The newest frame, at most one interval old; older ones that were ready are dropped.
    fn newest(&mut self, frame: &mut CapturedFrame) -> io::Result<Next> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            empty => {
                let mut stream = Stream::with_buffers(&self.device, Type::VideoCapture, BUFFERS)?;
                stream.set_timeout(self.stall);
                self.first = self.next;
                empty.insert(stream)
            }
        };
        let handle = stream.handle();
        // Bounded, since a camera may be faster than this loop.
        for taken in 1..=2 * BUFFERS {
            let (bytes, about) = stream.next()?;
            let number = self.first + u64::from(about.sequence);
            self.next = number + 1;
            // One buffer was held here. If all others held a frame, the driver has run out of buffers at some
            // time in the past, and only the next frame is certain to be new.
            let stale = taken + 1 == BUFFERS;
            if taken < 2 * BUFFERS && (stale || handle.poll(READABLE, 0)? > 0) {
                continue;
            }
            if about.flags.contains(Flags::ERROR) {
                return Ok(Next::Broken(format!("the driver reports frame {number} as damaged")));
            }
            let bytes = bytes.get(..about.bytesused as usize).unwrap_or(bytes);
            frame.fill(bytes, self.encoding, number);
            break;
        }
        Ok(Next::Frame)
    }

    /// Stops the stream so that the next call starts a new one.
    fn stop(&mut self) {
        if let Some(mut stream) = self.stream.take()
            && stream.stop().is_err()
        {
            // Dropping it would stop it again, and panic on the same error.
            std::mem::forget(stream);
        }
    }
}

impl Live for Camera {
    fn name(&self) -> &str {
        &self.name
    }

    fn waits(&self) -> bool {
        false
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        let error = match self.newest(frame) {
            Ok(next) => {
                self.stalls = 0;
                return Ok(next);
            }
            Err(error) => error,
        };
        // The failed call has lost a buffer: only a new stream has all of them.
        self.stop();
        if error.kind() == ErrorKind::Interrupted {
            return Ok(Next::Nothing);
        }
        // Some drivers report another error first: ask the device itself.
        if is_gone(&error) || device::capability(&self.device).is_err_and(|error| is_gone(&error)) {
            return Err(Error::device(&self.name, "an unplugged camera", "a camera that stays plugged in"));
        }
        if error.kind() == ErrorKind::ResourceBusy {
            return Err(Error::device(&self.name, "a camera in use by another program", "one that is free"));
        }
        self.stalls += 1;
        let why = match error.kind() {
            ErrorKind::TimedOut => format!("no frame within {}", seconds(self.stall)),
            _ => error.to_string(),
        };
        if self.stalls >= MOST_STALLS {
            let found = format!("{why}, {MOST_STALLS} times in a row");
            return Err(Error::device(&self.name, found, "a camera that delivers frames"));
        }
        Ok(Next::Stalled(why))
    }
}

/// Whether the device has been unplugged.
fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(NO_DEVICE)
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.stop();
    }
}
