//! What sources behind a network have in common: addresses, patience, and where their thread leaves frames.

#[cfg(any(feature = "rtsp", feature = "http"))]
mod address;
#[cfg(any(feature = "rtsp", feature = "http"))]
mod follow;
#[cfg(any(feature = "rtsp", feature = "http"))]
mod mailbox;
mod name;
mod patience;

#[cfg(any(feature = "rtsp", feature = "http"))]
pub(super) use address::Address;
#[cfg(any(feature = "rtsp", feature = "http"))]
pub(super) use follow::{Fault, follow, seconds};
#[cfg(any(feature = "rtsp", feature = "http"))]
pub(super) use mailbox::{Mailbox, Remote};
pub(super) use name::without_secrets;
pub use patience::Patience;
