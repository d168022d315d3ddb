//! TLS: who vouches for those whom this program connects to, and files with certificates, keys and other secrets.

#[cfg(any(feature = "http", feature = "mqtt", feature = "notify", feature = "serve"))]
mod files;
#[cfg(any(feature = "http", feature = "mqtt", feature = "notify"))]
mod trust;
mod trusted;

#[cfg(any(feature = "mqtt", feature = "notify"))]
pub(crate) use files::first_line;
#[cfg(feature = "serve")]
pub(crate) use files::read_secret;
#[cfg(any(feature = "mqtt", feature = "serve"))]
pub(crate) use files::{certificates, private_key};
#[cfg(any(feature = "http", feature = "mqtt", feature = "notify"))]
pub(crate) use trust::{Trust, client};
pub(crate) use trusted::trusted;
