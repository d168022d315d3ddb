//! Where the server listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::config;
use crate::error::{Error, Result};

/// An address of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(SocketAddr);

impl Address {
    /// The one in the settings.
    ///
    /// # Errors
    /// [`Error::Settings`] if `listen` is none, or may be reached from elsewhere without token and certificate.
    pub(crate) fn of(settings: &config::Http) -> Result<Self> {
        let text = settings.listen.trim();
        let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        let address = local.map(|port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let Some(address) = address.or_else(|| text.parse().ok()) else {
            let expected = "an address of this machine and a port, such as 127.0.0.1:8080 or [::]:8443";
            return Err(Error::settings("http.listen", text, expected));
        };
        let address = Self(address);
        if address.is_local() {
            return Ok(address);
        }
        let found = format!("{text}, which other machines reach");
        if settings.token_file.is_none() {
            let expected = "127.0.0.1, or http.token_file with a token (`edgeclip token new FILE`), http.certificate and http.key";
            return Err(Error::settings("http.listen", found, expected));
        }
        if settings.certificate.is_none() {
            let expected = "127.0.0.1, or http.certificate and http.key (PEM) besides the token";
            return Err(Error::settings("http.listen", found, expected));
        }
        Ok(address)
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }

    /// Whether this machine alone reaches it.
    pub(crate) fn is_local(&self) -> bool {
        match self.0.ip() {
            IpAddr::V4(address) => address.is_loopback(),
            IpAddr::V6(address) => address.is_loopback(),
        }
    }

    /// To bind.
    pub(super) fn socket(&self) -> SocketAddr {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_machines_need_a_token_and_a_certificate() {
        let http = |listen: &str| config::Http { listen: listen.to_owned(), ..config::Http::default() };
        for listen in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "127.8.9.1:1"] {
            assert!(Address::of(&http(listen)).unwrap().is_local(), "{listen}");
        }
        for listen in ["0.0.0.0:8080", "192.168.1.7:8080", "[::]:8080"] {
            let refused = |settings: &config::Http| Address::of(settings).unwrap_err().to_string();
            let mut settings = http(listen);
            assert!(refused(&settings).contains("edgeclip token new"), "{listen}");
            settings.token_file = Some("t".into());
            assert!(refused(&settings).contains("http.certificate and http.key (PEM)"), "{listen}");
            settings.certificate = Some("c".into());
            assert!(!Address::of(&settings).unwrap().is_local(), "{listen}");
        }
        for listen in ["8080", "example.com:80", "127.0.0.1", "http://127.0.0.1:80", "127.0.0.1:99999"] {
            assert!(
                Address::of(&http(listen)).unwrap_err().to_string().contains("expected an address of this")
            );
        }
    }
}
