//! A connection to a camera, in the clear or over TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use url::{Host, Url};

use super::connection::left;
use crate::error::Result;
use crate::system::{Trust, tls_client};

/// Who vouches for cameras that are connected to over TLS.
pub(super) struct Certificates {
    /// A file of the user's; else the system's.
    file: Option<PathBuf>,
    /// Read when the first camera needs it.
    config: Option<Arc<ClientConfig>>,
}

impl Certificates {
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self { file, config: None }
    }

    /// # Errors
    /// [`Error::Settings`](crate::error::Error::Settings) if a file cannot be read or holds something else.
    pub(super) fn config(&mut self) -> Result<Arc<ClientConfig>> {
        if let Some(config) = &self.config {
            return Ok(Arc::clone(config));
        }
        let trust = Trust { file: self.file.as_deref(), setting: "ca", peer: "a camera" };
        let mut config = tls_client(trust)?.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::clone(self.config.insert(Arc::new(config))))
    }
}

/// A connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    /// Shakes hands with whom `url` names, before `until`.
    ///
    /// # Errors
    /// The connection breaks, or the certificate is not good.
    pub(super) fn encrypted(
        mut socket: TcpStream,
        url: &Url,
        config: Arc<ClientConfig>,
        until: Instant,
    ) -> io::Result<Self> {
        let mut connection = ClientConnection::new(config, name(url)?).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            socket.set_write_timeout(Some(left(until)?))?;
            while connection.wants_write() {
                connection.write_tls(&mut socket)?;
            }
            if !connection.is_handshaking() {
                break;
            }
            socket.set_read_timeout(Some(left(until)?))?;
            if connection.read_tls(&mut socket)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if let Err(error) = connection.process_new_packets() {
                // Tells the camera why.
                let _ = connection.write_tls(&mut socket);
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, socket))))
    }

    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => tls.get_ref(),
        }
    }

    pub(super) fn set_read_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.socket().set_read_timeout(Some(timeout))
    }

    pub(super) fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.socket().set_write_timeout(Some(timeout))
    }
}

/// Whom the certificate must name.
fn name(url: &Url) -> io::Result<ServerName<'static>> {
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(ServerName::IpAddress(address.into())),
        Some(Host::Ipv6(address)) => Ok(ServerName::IpAddress(address.into())),
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(io::Error::other),
        None => Err(ErrorKind::InvalidInput.into()),
    }
}

/// Why a certificate is refused, if that is why there is no connection.
pub(super) fn distrust(error: &io::Error) -> Option<String> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    match tls {
        rustls::Error::InvalidCertificate(_) => Some(format!("a certificate that is not trusted ({tls})")),
        _ => Some(format!("no TLS that can be used ({tls})")),
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            // Many cameras hang up without a word.
            Self::Tls(tls) => match tls.read(into) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            },
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}
