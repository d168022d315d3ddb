//! What network sources share: addresses, time limits, reconnecting.

#[cfg(any(feature = "rtsp", feature = "http"))]
mod address;
#[cfg(any(feature = "rtsp", feature = "http"))]
mod fault;
mod patience;
#[cfg(any(feature = "rtsp", feature = "http"))]
mod remote;

#[cfg(any(feature = "rtsp", feature = "http"))]
pub(super) use address::Address;
#[cfg(any(feature = "rtsp", feature = "http"))]
pub(super) use fault::{Fault, seconds};
pub(crate) use patience::Patience;
#[cfg(feature = "http")]
pub(super) use remote::POLL;
#[cfg(any(feature = "rtsp", feature = "http"))]
pub(super) use remote::{Protocol, Remote};
