//! HTTP: what is seen, and commands, for browsers and programs. docs/http.md lists all paths.

mod address;
mod answer;
mod app;
mod arguments;
mod ask;
mod board;
mod clients;
mod events;
mod frigate;
mod guard;
mod live;
mod looked_for;
mod measures;
mod page;
mod pictures;
mod request;
mod response;
mod routes;
mod server;
mod state;
mod taught;
mod token;
mod viewer;
mod wire;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use self::app::{App, Facts};
use self::guard::Guard;
use self::token::Tokens;
use self::viewer::{Pictures, Viewer};
use super::service::Task;
use super::{Inventory, Obey, Oracle};
use crate::config::{self, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::sinks::{Painter, PictureSink, Sink, Status};
use crate::system::{certificates, private_key};

pub(crate) use self::address::Address;
pub(crate) use self::token::{is_token_file, new_token, token_line};

/// A server. Its port is bound when it is made; it answers once its task runs.
pub(super) struct Http {
    app: Arc<App>,
    listener: Option<TcpListener>,
}

impl Http {
    /// As the settings say.
    ///
    /// # Errors
    /// A file cannot be read, or the port not be bound.
    pub(super) fn new(settings: &Settings, topic_prefix: Option<String>) -> Result<Self> {
        let http = settings.http.clone().unwrap_or_default();
        let address = Address::of(&http)?;
        let tokens = http.token_file.as_deref().map(Tokens::read).transpose()?;
        let tls =
            http.certificate.as_ref().zip(http.key.as_ref()).map(|(certificate, key)| tls(certificate, key));
        let tls = tls.transpose()?;
        let guard = Guard::new(tokens, &http.hosts, tls.is_some());
        let bound = TcpListener::bind(address.socket()).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        });
        let (bound, listener) = bound
            .map_err(|error| Error::io(ErrorKind::Settings, format!("http.listen {}", http.listen), error))?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        tracing::info!("serving at {scheme}://{bound}/");
        let facts = Facts { history: settings.history.is_some(), topic_prefix };
        Ok(Self { app: Arc::new(App::new(guard, tls, http, facts)), listener: Some(listener) })
    }

    /// What takes reports, if no pictures are handed out.
    pub(super) fn sink(&self, painter: Painter) -> Option<Box<dyn Sink>> {
        (!self.app.settings.pictures).then(|| Box::new(self.viewer(painter)) as Box<dyn Sink>)
    }

    /// What takes reports with their pictures, if those are handed out.
    pub(super) fn picture_sink(&self, painter: Painter) -> Option<Box<dyn PictureSink>> {
        self.app.settings.pictures.then(|| Box::new(self.viewer(painter)) as Box<dyn PictureSink>)
    }

    fn viewer(&self, painter: Painter) -> Viewer {
        let config::Http { stream_fps, stream_width, .. } = self.app.settings;
        let pictures = Pictures { width: stream_width, pause: Duration::from_secs(1) / stream_fps.max(1) };
        Viewer::new(Arc::clone(&self.app.board), painter, pictures)
    }

    /// Has questions answered by `oracle`.
    pub(super) fn ask_by(&self, oracle: Arc<dyn Oracle>) {
        self.app.ask_by(oracle);
    }

    /// What answers, and has commands done by `obey`; `None` from the second time on.
    pub(super) fn task(&mut self, obey: Obey) -> Option<Task> {
        let listener = self.listener.take()?;
        self.app.command_by(obey);
        Some(Box::pin(server::serve(Arc::clone(&self.app), listener)))
    }

    /// What it may be told from other threads.
    pub(super) fn listener(&self) -> Listener {
        Listener(Arc::clone(&self.app))
    }

    /// Answers nobody any more.
    pub(super) fn close(&self) {
        self.app.close();
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.app.close();
    }
}

/// Takes what there is to tell besides reports.
#[derive(Clone)]
pub(super) struct Listener(Arc<App>);

impl Listener {
    /// From now on, this is looked for.
    pub(super) fn planned(&self, inventory: Inventory) {
        self.0.board.plan(inventory);
    }

    /// The state of each source.
    pub(super) fn status(&self, all: &[Status]) {
        self.0.board.status(all);
    }
}

fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::bug(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(certificates(certificate)?, private_key(key)?);
    let config = config.map_err(|error| {
        let name = certificate.display().to_string();
        Error::settings(name, error.to_string(), "a certificate with the key in http.key")
    })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
