//! Messages to systemd, as sd_notify(3) sends them.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

/// What systemd may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Started: the model is loaded, and sources are looked after.
    Ready,
    /// Alive; to be said more often than `WatchdogSec`.
    Watchdog,
    /// About to end.
    Stopping,
}

/// Tells systemd, if this process is a service of `Type=notify`. Where nobody listens, nothing is lost.
pub fn notify(state: State) {
    if let Some(socket) = env::var_os("NOTIFY_SOCKET") {
        let _ = send(Path::new(&socket), state);
    }
}

/// Sends one datagram to a socket in the file system, or to an abstract one where the name starts with `@`.
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

    fn heard(listener: &UnixDatagram) -> String {
        let mut message = [0; 64];
        let length = listener.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    }

    #[test]
    fn both_kinds_of_socket_hear_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        send(&path, State::Ready).unwrap();
        send(&path, State::Watchdog).unwrap();
        assert_eq!((heard(&listener), heard(&listener)), ("READY=1".to_owned(), "WATCHDOG=1".to_owned()));

        let name = format!("edgeclip-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        send(Path::new(&format!("@{name}")), State::Stopping).unwrap();
        assert_eq!(heard(&listener), "STOPPING=1");
    }

    #[test]
    fn nobody_listening_is_an_error_that_notify_swallows() {
        assert!(send(Path::new("/nonexistent/notify"), State::Ready).is_err());
    }
}
