//! What it takes to look up the name of a host.

use std::path::{Path, PathBuf};

use super::{Grant, Right};

/// Where name servers listen.
pub(crate) const NAME_SERVER: u16 = 53;
/// What a C library reads to look up a name.
const RESOLVER: [&str; 9] = [
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/nsswitch.conf",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
];
/// Addresses of name servers; programs for networks replace this file.
const NAME_SERVERS: &str = "/etc/resolv.conf";

/// Files that are read to look up a name.
pub(crate) fn resolver() -> Vec<Grant> {
    let files = RESOLVER.iter().map(PathBuf::from).filter(|path| path.exists());
    let servers = Path::new(NAME_SERVERS).canonicalize().ok();
    let servers = servers.and_then(|file| file.parent().map(Path::to_owned));
    files.chain(servers).map(|path| Grant::new(&path, Right::Read)).collect()
}
