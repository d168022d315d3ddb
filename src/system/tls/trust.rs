//! Whom to believe that they are who they say they are.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use super::files::certificates;
use super::trusted;
use crate::error::{Error, Result};

/// Which certificates count for one peer, for messages as well.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trust<'a> {
    /// A file of the user's; else that of the system.
    pub file: Option<&'a Path>,
    /// The setting that names it.
    pub setting: &'a str,
    /// Who the peer is: `a broker`.
    pub peer: &'a str,
}

/// The side of a connection that believes peers for whom one of the certificates vouches. A peer that shows one of the
/// user's own file is believed as well, whatever that says about its name: cameras and brokers often sign for
/// themselves.
///
/// # Errors
/// [`Error::Settings`] if the file cannot be read or holds none that can be used.
pub(crate) fn client(trust: Trust<'_>) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>> {
    let Trust { file: own, setting, peer } = trust;
    let Some(file) = trusted(own) else {
        let section = setting.rsplit_once('.').map_or(setting, |(section, _)| section);
        let expected = format!("{setting}, a file with the certificate that vouches for {peer}");
        return Err(Error::settings(section, "a system without certificates of its own", expected));
    };
    let found = certificates(&file)?;
    let pinned = if own.is_some() { found.clone() } else { Vec::new() };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 {
        let expected = format!("certificates (PEM) that can vouch for {peer}: {setting}");
        let name = file.display().to_string();
        return Err(Error::settings(name, "no certificate that can be used", expected));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let bug = |error: String| Error::bug(error);
    let others = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    let others = others.map_err(|error| bug(error.to_string()))?;
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| bug(error.to_string()))?;
    let known = Arc::new(Known { pinned, others });
    Ok(builder.dangerous().with_custom_certificate_verifier(known))
}

/// Believes who shows one of these certificates, and whom others vouch for.
#[derive(Debug)]
struct Known {
    pinned: Vec<CertificateDer<'static>>,
    others: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        if self.pinned.iter().any(|pinned| pinned.as_ref() == shown.as_ref()) {
            return Ok(ServerCertVerified::assertion());
        }
        self.others.verify_server_cert(shown, between, name, ocsp, now)
    }

    // That the peer has the certificate's key is checked in any case.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        self.others.verify_tls12_signature(message, shown, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        self.others.verify_tls13_signature(message, shown, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.others.supported_verify_schemes()
    }
}
