//! Replaces `notify/` in builds without the feature `notify`.

#[cfg(any(feature = "mqtt", feature = "serve"))]
use super::service::Task;
use crate::config;
use crate::error::{Error, Result};
use crate::sinks::{Painter, PictureSink, Sink};

/// Nobody can be notified.
pub(super) enum Notifier {}

/// No address can be used.
pub(crate) struct Address {
    /// A name or a number.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the host is a name.
    pub is_name: bool,
    /// For messages.
    pub shown: String,
}

impl Address {
    /// Refuses the address: this build has no notifications.
    ///
    /// # Errors
    /// Always [`Error::Settings`].
    pub(crate) fn of(_: &config::Notify) -> Result<Self> {
        Err(absent())
    }
}

impl Notifier {
    /// Refuses the settings: this build has no notifications.
    ///
    /// # Errors
    /// Always [`Error::Settings`].
    pub(super) fn new(_: &config::Notify) -> Result<Self> {
        Err(absent())
    }

    /// Never called.
    pub(super) fn sink(&self, _: Painter) -> Option<Box<dyn Sink>> {
        match *self {}
    }

    /// Never called.
    pub(super) fn picture_sink(&self, _: Painter) -> Option<Box<dyn PictureSink>> {
        match *self {}
    }

    /// Never called.
    #[cfg(any(feature = "mqtt", feature = "serve"))]
    pub(super) fn task(&self) -> Task {
        match *self {}
    }

    /// Never called.
    pub(super) fn close(&self) {
        match *self {}
    }
}

fn absent() -> Error {
    Error::settings("notify", "rules, which this build does not support", "a build with the feature `notify`")
}
