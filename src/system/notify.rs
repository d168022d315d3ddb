//! Messages to systemd, like those of sd_notify(3).

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

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

/// Notifies systemd if this process is a service of `Type=notify`; does nothing otherwise.
/// Failures are ignored.
pub(crate) fn notify(state: State) {
    if let Some(socket) = env::var_os("NOTIFY_SOCKET") {
        let _ = send(Path::new(&socket), state);
    }
}

/// Sends one datagram to a socket in the file system, or to an abstract one if the name starts with `@`.
fn send(socket: &Path, state: State) -> io::Result<()> {
    let address = match socket.as_os_str().as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let message: &[u8] = match state {
        State::Ready => b"READY=1",
        State::Watchdog => b"WATCHDOG=1",
        State::Stopping => b"STOPPING=1",
    };
    UnixDatagram::unbound()?.send_to_addr(message, &address).map(|_| ())
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
        send(&path, State::Ready).unwrap();
        send(&path, State::Watchdog).unwrap();
        assert_eq!(
            (received(&listener), received(&listener)),
            ("READY=1".to_owned(), "WATCHDOG=1".to_owned())
        );

        let name = format!("edgeclip-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        send(Path::new(&format!("@{name}")), State::Stopping).unwrap();
        assert_eq!(received(&listener), "STOPPING=1");
    }

    #[test]
    fn a_missing_listener_is_an_error_that_notify_ignores() {
        assert!(send(Path::new("/nonexistent/notify"), State::Ready).is_err());
    }
}
