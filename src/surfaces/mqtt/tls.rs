//! TLS to the broker: who vouches for it, and who this client is.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address::Address;
use crate::config::Mqtt;
use crate::error::{Error, Result};
use crate::system::{Trust, certificates, private_key, tls_client};

/// Talks TLS to one broker. Files are read when it is made.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// For the broker at `address`.
    ///
    /// # Errors
    /// [`Error::Settings`] if a file cannot be read or holds something else.
    pub(super) fn new(settings: &Mqtt, address: &Address) -> Result<Self> {
        let name = ServerName::try_from(address.host.clone()).map_err(|error| {
            Error::settings(
                "mqtt.url",
                format!("the host {} ({error})", address.host),
                "a name or an address",
            )
        })?;
        let trust = Trust { file: settings.ca.as_deref(), setting: "mqtt.ca", peer: "a broker" };
        let config = tls_client(trust)?;
        let config = match (&settings.certificate, &settings.key) {
            (Some(certificate), Some(key)) => {
                let refuse = |error: rustls::Error| {
                    let name = certificate.display().to_string();
                    Error::settings(name, error.to_string(), "a certificate with the key in mqtt.key")
                };
                config.with_client_auth_cert(certificates(certificate)?, private_key(key)?).map_err(refuse)?
            }
            _ => config.with_no_client_auth(),
        };
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// The broker's certificate is not good, or it wants another one of ours.
    pub(super) async fn connect(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn files_that_hold_something_else_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.pem");
        let asked = |change: fn(&mut Mqtt, PathBuf)| {
            let mut settings = Mqtt { url: "mqtts://broker".to_owned(), ..Mqtt::default() };
            change(&mut settings, file.clone());
            let address = Address::of(&settings).unwrap();
            Tls::new(&settings, &address).err().map(|error| error.to_string()).unwrap_or_default()
        };
        let ca = |settings: &mut Mqtt, file| settings.ca = Some(file);
        assert!(asked(ca).contains("x.pem"));
        fs::write(&file, "hello").unwrap();
        assert!(asked(ca).contains("found no certificate, expected -----BEGIN CERTIFICATE"), "{}", asked(ca));
        fs::write(&file, "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n").unwrap();
        assert!(asked(ca).contains("expected certificates (PEM)"), "{}", asked(ca));
        fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(asked(ca).contains("found no certificate that can be used"), "{}", asked(ca));
    }
}
