//! Stands in for `destination.rs` in programs without network sources.

/// To where a network source connects: there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// A name or an address.
    pub host: String,
    /// Port of the camera.
    pub port: u16,
    /// Whether the host is a name that has to be looked up.
    pub is_name: bool,
    /// Whether pictures come in packets of their own, over UDP.
    pub packets: bool,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
}

impl Destination {
    /// Nowhere.
    pub(crate) fn of(_: &str) -> Option<Self> {
        None
    }
}
