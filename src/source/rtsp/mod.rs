//! IP cameras: H.264 over RTSP (RFC 2326, RFC 6184).
//!
//! One thread a camera reads the network and decodes, since every picture needs those before it; the newest waits to be
//! taken.

mod clock;
mod faults;
pub(super) mod pictures;
mod session;

use std::time::Duration;

use retina::client::{Credentials as Login, Transport};

use super::live::Live;
use super::network::{Address, Fault, Patience, Remote, follow};
use crate::error::{Error, Result};
use clock::Clock;
use session::{Camera, play};

/// How long a camera has to confirm that the session is over: many serve only two or three at a time.
const FAREWELL: Duration = Duration::from_millis(500);

/// Opens the camera at `address`, as in `rtsp://user:password@camera/stream`. `?transport=udp` at its end has the pictures
/// sent in UDP packets of their own instead of through the connection.
///
/// A camera that goes away is tried again for ever.
///
/// # Errors
/// [`Error::Input`] if there is no camera at first, it refuses the password or the path, or has no H.264 that can be
/// decoded; the line says what to do.
pub fn open(address: &str, patience: Patience) -> Result<Box<dyn Live>> {
    let mut address = Address::parse(address, "rtsp")?;
    let transport = match address.take("transport").as_deref() {
        None | Some("tcp") => Transport::Tcp(Default::default()),
        Some("udp") => Transport::Udp(Default::default()),
        Some(other) => {
            return Err(Error::input(
                address.name,
                format!("transport={other}"),
                "transport=tcp or transport=udp",
            ));
        }
    };
    let name = address.name.clone();
    let login = address.credentials.map(|ours| Login { username: ours.user, password: ours.password });
    let camera = Camera { url: address.url, login, transport };
    let remote = Remote::start(&name, FAREWELL, move |mailbox, opened| {
        // In this thread alone.
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return opened(Err(Fault::new(error.to_string(), "resources to read the network"))),
        };
        let mut clock = Clock::start();
        follow(
            mailbox,
            patience,
            opened,
            || runtime.block_on(camera.connect(patience)),
            |session| runtime.block_on(play(session, mailbox, patience, &mut clock)),
        );
    })?;
    Ok(Box::new(remote))
}
