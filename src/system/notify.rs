//! Messages to systemd, like those of sd_notify(3).

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::seal::is_sealed;

/// What systemd can be notified of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Started: the model is loaded and sources are being read.
    Ready,
    /// Alive; must be sent more often than every `WatchdogSec`.
    Watchdog,
    /// About to exit.
    Stopping,
}

/// The connection to systemd, once there is one. Sealed processes cannot make it anew.
static CONNECTION: Mutex<Option<UnixDatagram>> = Mutex::new(None);

/// Notifies systemd if this process is a service of `Type=notify`; does nothing otherwise.
/// Failures are ignored.
pub(crate) fn notify(state: State) {
    connect();
    let mut connection = CONNECTION.lock().unwrap_or_else(PoisonError::into_inner);
    if connection.as_ref().is_some_and(|socket| tell(socket, state).is_err()) && !is_sealed() {
        *connection = None;
    }
}

/// Connects to systemd if this process is a service of `Type=notify`.
pub(crate) fn connect() {
    let mut connection = CONNECTION.lock().unwrap_or_else(PoisonError::into_inner);
    if connection.is_none()
        && !is_sealed()
        && let Some(socket) = env::var_os("NOTIFY_SOCKET")
    {
        *connection = reach(Path::new(&socket)).ok();
    }
}

/// Connects to a socket in the file system, or to an abstract one if the name starts with `@`.
fn reach(socket: &Path) -> io::Result<UnixDatagram> {
    let address = match socket.as_os_str().as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

/// Sends one datagram.
fn tell(socket: &UnixDatagram, state: State) -> io::Result<()> {
    let message: &[u8] = match state {
        State::Ready => b"READY=1",
        State::Watchdog => b"WATCHDOG=1",
        State::Stopping => b"STOPPING=1",
    };
    socket.send(message).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(listener: &UnixDatagram) -> String {
        let mut message = [0; 64];
        let length = listener.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    }

    #[test]
    fn both_kinds_of_socket_receive_messages() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        let socket = reach(&path).unwrap();
        tell(&socket, State::Ready).unwrap();
        tell(&socket, State::Watchdog).unwrap();
        assert_eq!(
            (received(&listener), received(&listener)),
            ("READY=1".to_owned(), "WATCHDOG=1".to_owned())
        );

        let name = format!("edgeclip-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        tell(&reach(Path::new(&format!("@{name}"))).unwrap(), State::Stopping).unwrap();
        assert_eq!(received(&listener), "STOPPING=1");
    }

    #[test]
    fn a_missing_listener_is_an_error_that_notify_ignores() {
        assert!(reach(Path::new("/nonexistent/notify")).is_err());
    }
}
