//! What network sources share: addresses, time limits, reconnecting.

#[cfg(any(feature = "rtsp", feature = "http"))]
mod address;
#[cfg_attr(not(any(feature = "rtsp", feature = "http")), path = "destination_absent.rs")]
mod destination;
#[cfg(any(feature = "rtsp", feature = "http"))]
mod fault;
mod patience;
#[cfg(any(feature = "rtsp", feature = "http"))]
mod remote;

#[cfg(any(feature = "rtsp", feature = "http"))]
pub(super) use address::Address;
pub(crate) use destination::Destination;
#[cfg(any(feature = "rtsp", feature = "http"))]
pub(super) use fault::Fault;
pub(crate) use patience::Patience;
pub(super) use patience::seconds;
#[cfg(feature = "http")]
pub(super) use remote::POLL;
#[cfg(any(feature = "rtsp", feature = "http"))]
pub(super) use remote::{Protocol, Remote};
