//! Replaces `http/` in builds without the feature `serve`.

use super::Inventory;
#[cfg(any(feature = "mqtt", feature = "notify"))]
use super::{Obey, service::Task};
use crate::config::{self, Settings};
use crate::error::{Error, Result};
use crate::sinks::{Painter, PictureSink, Sink, Status};

/// Nothing is served.
pub(crate) enum Http {}

/// Nobody listens.
#[derive(Clone)]
pub(crate) enum Listener {}

/// No address can be used.
pub(crate) enum Address {}

impl Address {
    /// Refuses the address: this build has no server.
    ///
    /// # Errors
    /// Always [`Error::Settings`].
    pub(crate) fn of(_: &config::Http) -> Result<Self> {
        Err(absent())
    }

    /// Never called.
    pub(crate) fn port(&self) -> u16 {
        match *self {}
    }

    /// Never called.
    pub(crate) fn is_local(&self) -> bool {
        match *self {}
    }
}

impl Http {
    /// Refuses the settings: this build has no server.
    ///
    /// # Errors
    /// Always [`Error::Settings`].
    pub(super) fn new(_: &Settings, _: Option<String>) -> Result<Self> {
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
    #[cfg(any(feature = "mqtt", feature = "notify"))]
    pub(super) fn task(&mut self, _: Obey) -> Option<Task> {
        match *self {}
    }

    /// Never called.
    pub(super) fn listener(&self) -> Listener {
        match *self {}
    }

    /// Never called.
    pub(super) fn close(&self) {
        match *self {}
    }
}

impl Listener {
    /// Never called.
    pub(super) fn planned(&self, _: Inventory) {
        match *self {}
    }

    /// Never called.
    pub(super) fn status(&self, _: &[Status]) {
        match *self {}
    }
}

fn absent() -> Error {
    Error::settings("http", "a server, which this build does not have", "a build with the feature `serve`")
}
