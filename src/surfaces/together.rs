//! All surfaces as the session sees them: what to open before the seal, which sinks to add, whom to tell.

#[cfg(feature = "serve")]
use std::sync::Arc;

#[cfg(feature = "serve")]
use super::Oracle;
use super::http::{self, Http};
use super::mqtt::{self, Mqtt};
use super::notify::Notifier;
#[cfg(any(feature = "mqtt", feature = "notify", feature = "serve"))]
use super::service::Service;
use super::{Inventory, Obey};
use crate::config::Settings;
use crate::error::Result;
use crate::sinks::{Painter, PictureSink, Sink, Status};

/// How many beats of the status pass until the broker is told again.
const RARELY: u64 = 5;

/// Everything that other machines talk to. Files are read and ports bound when it is made; it serves once it is
/// started.
pub(crate) struct Surfaces {
    mqtt: Option<Mqtt>,
    http: Option<Http>,
    notifiers: Vec<Notifier>,
    #[cfg(any(feature = "mqtt", feature = "notify", feature = "serve"))]
    service: Option<Service>,
}

/// Takes what there is to tell besides reports.
#[derive(Clone)]
pub(crate) struct Listener {
    mqtt: Option<mqtt::Listener>,
    http: Option<http::Listener>,
}

impl Surfaces {
    /// Those in the settings.
    ///
    /// # Errors
    /// A file cannot be read, a port not be bound, or an address or the spool not be used.
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let mqtt = settings.mqtt.as_ref().map(Mqtt::new).transpose()?;
        let prefix = || mqtt.as_ref().map(Mqtt::prefix);
        let http = settings.http.as_ref().map(|_| Http::new(settings, prefix())).transpose()?;
        Ok(Self {
            mqtt,
            http,
            notifiers: settings.notify.iter().map(Notifier::new).collect::<Result<_>>()?,
            #[cfg(any(feature = "mqtt", feature = "notify", feature = "serve"))]
            service: None,
        })
    }

    /// Whether there are any.
    pub(crate) fn is_some(&self) -> bool {
        self.mqtt.is_some() || self.http.is_some() || !self.notifiers.is_empty()
    }

    /// What takes reports alone.
    pub(crate) fn sinks(&self, painter: &Painter) -> Vec<Box<dyn Sink>> {
        let mqtt = self.mqtt.as_ref().and_then(|mqtt| mqtt.sink(painter.clone()));
        let http = self.http.as_ref().and_then(|http| http.sink(painter.clone()));
        let notifiers = self.notifiers.iter().filter_map(|notifier| notifier.sink(painter.clone()));
        mqtt.into_iter().chain(http).chain(notifiers).collect()
    }

    /// What takes reports with their pictures.
    pub(crate) fn picture_sinks(&self, painter: &Painter) -> Vec<Box<dyn PictureSink>> {
        let mqtt = self.mqtt.as_ref().and_then(|mqtt| mqtt.picture_sink(painter.clone()));
        let http = self.http.as_ref().and_then(|http| http.picture_sink(painter.clone()));
        let notifiers = self.notifiers.iter().filter_map(|notifier| notifier.picture_sink(painter.clone()));
        mqtt.into_iter().chain(http).chain(notifiers).collect()
    }

    /// Has questions answered by `oracle`.
    #[cfg(feature = "serve")]
    pub(crate) fn ask_by(&self, oracle: Arc<dyn Oracle>) {
        self.http.iter().for_each(|http| http.ask_by(Arc::clone(&oracle)));
    }

    /// Serves all of them on one thread, and has commands done by `obey`.
    ///
    /// # Errors
    /// The system has no thread left.
    #[cfg(any(feature = "mqtt", feature = "notify", feature = "serve"))]
    pub(crate) fn start(&mut self, obey: &Obey) -> Result<()> {
        let mqtt = self.mqtt.as_mut().and_then(|mqtt| mqtt.task(obey.clone()));
        let http = self.http.as_mut().and_then(|http| http.task(obey.clone()));
        let notifiers = self.notifiers.iter().map(Notifier::task);
        self.service = Some(Service::start(mqtt.into_iter().chain(http).chain(notifiers).collect())?);
        Ok(())
    }

    /// Nothing to start.
    ///
    /// # Errors
    /// None.
    #[cfg(not(any(feature = "mqtt", feature = "notify", feature = "serve")))]
    pub(crate) fn start(&mut self, _: &Obey) -> Result<()> {
        Ok(())
    }

    /// What they may be told from other threads.
    pub(crate) fn listener(&self) -> Listener {
        let mqtt = self.mqtt.as_ref().map(Mqtt::listener);
        Listener { mqtt, http: self.http.as_ref().map(Http::listener) }
    }

    /// Says goodbye, and waits for that, but not for long.
    pub(crate) fn finish(&self) {
        self.mqtt.iter().for_each(Mqtt::close);
        self.http.iter().for_each(Http::close);
        self.notifiers.iter().for_each(Notifier::close);
        #[cfg(any(feature = "mqtt", feature = "notify", feature = "serve"))]
        self.service.iter().for_each(Service::finish);
    }
}

impl Listener {
    /// From now on, this is looked for.
    pub(crate) fn planned(&self, inventory: &Inventory) {
        self.mqtt.iter().for_each(|mqtt| mqtt.planned(inventory.clone()));
        self.http.iter().for_each(|http| http.planned(inventory.clone()));
    }

    /// The state of each source; `beat` counts how often it is told.
    pub(crate) fn status(&self, all: &[Status], beat: u64) {
        self.mqtt.iter().filter(|_| beat.is_multiple_of(RARELY)).for_each(|mqtt| mqtt.status(all));
        self.http.iter().for_each(|http| http.status(all));
    }
}
