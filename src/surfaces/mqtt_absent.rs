//! Replaces `mqtt/` in builds without the feature `mqtt`.

use super::Inventory;
#[cfg(any(feature = "notify", feature = "serve"))]
use super::{Obey, service::Task};
use crate::config;
use crate::error::{Error, Result};
use crate::sinks::{Painter, PictureSink, Sink, Status};

/// No broker can be connected to.
pub(crate) enum Mqtt {}

/// Nobody listens.
#[derive(Clone)]
pub(crate) enum Listener {}

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
    /// Refuses the address: this build has no MQTT.
    ///
    /// # Errors
    /// Always [`Error::Settings`].
    pub(crate) fn of(_: &config::Mqtt) -> Result<Self> {
        Err(absent())
    }
}

impl Mqtt {
    /// Refuses the settings: this build has no MQTT.
    ///
    /// # Errors
    /// Always [`Error::Settings`].
    pub(crate) fn new(_: &config::Mqtt) -> Result<Self> {
        Err(absent())
    }

    /// Never called.
    pub(crate) fn sink(&self, _: Painter) -> Option<Box<dyn Sink>> {
        match *self {}
    }

    /// Never called.
    pub(crate) fn picture_sink(&self, _: Painter) -> Option<Box<dyn PictureSink>> {
        match *self {}
    }

    /// Never called.
    #[cfg(any(feature = "notify", feature = "serve"))]
    pub(super) fn task(&mut self, _: Obey) -> Option<Task> {
        match *self {}
    }

    /// Never called.
    pub(super) fn prefix(&self) -> String {
        match *self {}
    }

    /// Never called.
    pub(crate) fn listener(&self) -> Listener {
        match *self {}
    }

    /// Never called.
    pub(crate) fn close(&self) {
        match *self {}
    }
}

impl Listener {
    /// Never called.
    pub(crate) fn planned(&self, _: Inventory) {
        match *self {}
    }

    /// Never called.
    pub(crate) fn status(&self, _: &[Status]) {
        match *self {}
    }
}

fn absent() -> Error {
    Error::settings("mqtt", "a broker, which this build does not support", "a build with the feature `mqtt`")
}
