//! Reading and decoding in the process that asks for it.

use std::path::Path;
use std::time::Duration;

use crate::error::Result;
use crate::source::limits;
use crate::source::live::{Decode, Live};
use crate::source::network::Patience;
use crate::source::picture::Picture;
use crate::source::{http, rtsp};

/// Opens the camera at `address`; a single picture is fetched `fps` times per second. Without a picture for
/// `stall`, it is connected anew. `ca` is a file of certificates that vouch for it.
///
/// # Errors
/// Same as those of [`rtsp::open`] and [`http::open`].
pub(super) fn here(
    address: &str,
    fps: Option<u32>,
    stall: Option<Duration>,
    ca: Option<&Path>,
) -> Result<Box<dyn Live>> {
    let patience = patience(stall);
    if is_of(address, "rtsp") {
        return rtsp::open(address, patience);
    }
    http::open(address, fps, patience, ca)
}

/// How long a network source is waited for, of which a picture is expected within `stall`.
pub(super) fn patience(stall: Option<Duration>) -> Patience {
    let patience = Patience::default();
    Patience { stall: stall.unwrap_or(patience.stall), ..patience }
}

/// Whether an address has this scheme, or this one with TLS.
pub(super) fn is_of(address: &str, scheme: &str) -> bool {
    let found = address.split_once("://").map(|(found, _)| found.to_ascii_lowercase());
    found.is_some_and(|found| found.strip_suffix('s').unwrap_or(&found) == scheme)
}

/// Decodes picture files of live sources.
#[derive(Debug)]
pub(in crate::source) struct Here;

impl Decode for Here {
    fn decode(&self, name: String, bytes: &[u8]) -> Result<Picture> {
        Picture::decode_within(name, bytes, &limits::current().for_frames())
    }

    fn dismiss(&self) {}
}
