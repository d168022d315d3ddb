//! Files with certificates, keys and other secrets.

use std::path::{Path, PathBuf};
use std::{env, fs};

use rustls::pki_types::CertificateDer;
#[cfg(any(feature = "mqtt", feature = "serve"))]
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, ErrorKind, Result};

/// Longest secret in bytes.
#[cfg(any(feature = "mqtt", feature = "notify"))]
const LONGEST: usize = 4096;

/// The certificates in a file.
///
/// # Errors
/// [`Error::Settings`] if it cannot be read or holds something else.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let (name, bytes) = read_secret(file)?;
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|error| Error::settings(&name, error.to_string(), "certificates (PEM)"))?;
    if found.is_empty() {
        return Err(Error::settings(name, "no certificate", "-----BEGIN CERTIFICATE-----"));
    }
    Ok(found)
}

/// The first line of a file: a password, a token.
///
/// # Errors
/// [`Error::Settings`] if it cannot be read, or its first line is empty or too long.
#[cfg(any(feature = "mqtt", feature = "notify"))]
pub(crate) fn first_line(file: &Path) -> Result<Vec<u8>> {
    let (name, bytes) = read_secret(file)?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.is_empty() || line.len() > LONGEST {
        let found = format!("a first line of {} bytes", line.len());
        return Err(Error::settings(name, found, "a password as the first line"));
    }
    Ok(line.to_owned())
}

/// The private key in a file.
///
/// # Errors
/// [`Error::Settings`] if it cannot be read, is encrypted, or is none.
#[cfg(any(feature = "mqtt", feature = "serve"))]
pub(crate) fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>> {
    let (name, bytes) = read_secret(file)?;
    let expected = "a private key (PEM) that is not encrypted, such as -----BEGIN PRIVATE KEY-----";
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| Error::settings(name, error.to_string(), expected))
}

/// Where a file with a secret is: there, or among the credentials that systemd hands to the service.
fn credential(file: &Path) -> PathBuf {
    let among = env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(file));
    match among {
        Some(among) if file.is_relative() && !file.exists() && among.exists() => among,
        _ => file.to_owned(),
    }
}

/// The name and the content of such a file.
///
/// # Errors
/// [`Error::Settings`] if it cannot be read.
pub(crate) fn read_secret(file: &Path) -> Result<(String, Vec<u8>)> {
    let file = credential(file);
    let name = file.display().to_string();
    let bytes = fs::read(&file).map_err(|error| Error::io(ErrorKind::Settings, &name, error))?;
    Ok((name, bytes))
}
