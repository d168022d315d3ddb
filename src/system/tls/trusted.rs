//! Where certificates are that vouch for others.

use std::env;
use std::path::{Path, PathBuf};

/// Where systems keep the certificates of those whom they trust.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The file with the certificates that count: `file`, else the system's, if it has any.
pub(crate) fn trusted(file: Option<&Path>) -> Option<PathBuf> {
    let own = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    match file {
        Some(file) => Some(file.to_owned()),
        None => own.into_iter().chain(SYSTEM.map(PathBuf::from)).find(|file| file.exists()),
    }
}
