//! IP cameras: H.264 over RTSP (RFC 2326, RFC 6184).
//!
//! Every picture is decoded, since later ones refer to it; the capture thread's mailbox keeps the newest.

mod clock;
pub(super) mod decoder;
mod faults;
mod session;

use std::time::Duration;

use retina::client::{Credentials as Login, Transport};
use tokio::runtime::{Builder, Runtime};

use super::live::{CapturedFrame, Live, Next};
use super::network::{Address, Fault, Patience, Protocol, Remote};
use crate::error::{Error, Result};
use clock::CameraClock;
use session::{Camera, Playing};

/// How long a camera has to confirm the end of a session: many serve only two or three at a time.
const FAREWELL: Duration = Duration::from_millis(500);

/// Opens the camera at `address`, for example `rtsp://user:password@camera/stream`. `?transport=udp` at its
/// end asks for the pictures in UDP packets of their own instead of over the connection.
///
/// A camera that goes away is reconnected forever; while that is tried, [`Live::next`] may take
/// [`Patience::connect`].
///
/// # Errors
/// [`Error::Device`] if the first connection fails: no camera, password or path refused, or no H.264 that can
/// be decoded; the message says what to do. [`Error::Settings`] if the address is invalid.
pub(crate) fn open(address: &str, patience: Patience) -> Result<Box<dyn Live>> {
    let mut address = Address::parse(address, "rtsp")?;
    let transport = match address.take("transport").as_deref() {
        None | Some("tcp") => Transport::Tcp(Default::default()),
        Some("udp") => Transport::Udp(Default::default()),
        Some(other) => {
            return Err(Error::settings(
                address.name,
                format!("transport={other}"),
                "transport=tcp or transport=udp",
            ));
        }
    };
    let name = address.name.clone();
    let login = address.credentials.map(|ours| Login { username: ours.user, password: ours.password });
    let camera = Camera { url: address.url, login, transport };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Error::device(&name, error.to_string(), "resources to read the network"))?;
    let protocol = Rtsp { runtime, camera, patience, clock: CameraClock::start() };
    Ok(Box::new(Remote::open(&name, patience, protocol)?))
}

struct Rtsp {
    /// Runs in the calling thread alone, and only while it is called.
    runtime: Runtime,
    camera: Camera,
    patience: Patience,
    /// Goes on across sessions.
    clock: CameraClock,
}

impl Protocol for Rtsp {
    type Session = Playing;

    fn connect(&mut self) -> std::result::Result<Playing, Fault> {
        self.clock.begin_session();
        self.runtime.block_on(self.camera.connect(self.patience))
    }

    fn read(
        &mut self,
        session: &mut Playing,
        frame: &mut CapturedFrame,
    ) -> std::result::Result<Next, String> {
        self.runtime.block_on(session.read(frame, &mut self.clock))
    }

    fn hang_up(&mut self, session: Playing) {
        self.runtime.block_on(session.end());
    }
}
