//! What answers are made of.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::board::Board;
use super::guard::{Guard, later};
use super::response::Response;
use crate::config;
use crate::source::apart::Pictures;
use crate::surfaces::{Command, Inventory, Obey, Oracle, Told};

/// Most readers of streams at once.
const STREAMS: usize = 32;
/// How long a command may take: new words have the text tower loaded.
const PATIENCE: Duration = Duration::from_secs(25);

/// Everything that requests have in common.
pub(super) struct App {
    pub board: Arc<Board>,
    pub guard: Guard,
    pub tls: Option<TlsAcceptor>,
    pub settings: config::Http,
    pub facts: Facts,
    /// Whoever has it may have a large body in memory.
    pub large: Semaphore,
    /// Decodes pictures in a process of its own.
    pub decoder: Arc<Pictures>,
    obey: OnceLock<Obey>,
    oracle: OnceLock<Arc<dyn Oracle>>,
    closed: watch::Sender<bool>,
    started: Instant,
    streams: AtomicUsize,
}

/// What the settings say besides.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Whether what was seen can be searched.
    pub history: bool,
    /// The prefix of topics, where there is a broker.
    pub topic_prefix: Option<String>,
}

impl App {
    pub(super) fn new(guard: Guard, tls: Option<TlsAcceptor>, settings: config::Http, facts: Facts) -> Self {
        Self {
            board: Arc::new(Board::new()),
            guard,
            tls,
            settings,
            facts,
            large: Semaphore::new(1),
            decoder: Arc::new(Pictures::later()),
            obey: OnceLock::new(),
            oracle: OnceLock::new(),
            closed: watch::Sender::new(false),
            started: Instant::now(),
            streams: AtomicUsize::new(0),
        }
    }

    pub(super) fn command_by(&self, obey: Obey) {
        let _ = self.obey.set(obey);
    }

    pub(super) fn ask_by(&self, oracle: Arc<dyn Oracle>) {
        let _ = self.oracle.set(oracle);
    }

    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Ends all that is served.
    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(super) fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits for the end.
    pub(super) async fn closed(&self) {
        let mut closed = self.closed.subscribe();
        let _ = closed.wait_for(|closed| *closed).await;
    }

    /// What is looked for.
    ///
    /// # Errors
    /// Nothing is yet.
    pub(super) fn inventory(&self) -> Result<Arc<Inventory>, Response> {
        self.board.read().inventory.clone().ok_or_else(|| later(2, "the model is being loaded"))
    }

    /// The place of the source that paths call so.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn camera(&self, id: &str) -> Result<usize, Response> {
        let state = self.board.read();
        state.camera(id).ok_or_else(|| {
            Response::refused(404, "camera", &format!("{id:?}"), &format!("one of {}", state.ids.join(", ")))
        })
    }

    /// Has a command done, and waits for that.
    ///
    /// # Errors
    /// It cannot be obeyed, or not in time.
    pub(super) async fn command(&self, command: Command) -> Result<(), Response> {
        let Some(obey) = self.obey.get() else { return Err(later(2, "the model is being loaded")) };
        tracing::info!("http: {command:?}");
        let (sender, done) = oneshot::channel();
        obey(command, Box::new(move |outcome| drop(sender.send(outcome))));
        match timeout(PATIENCE, done).await {
            Ok(Ok(outcome)) => outcome.map_err(Response::from),
            Ok(Err(_)) => Err(later(5, "the program ends")),
            Err(_) => Err(later(10, "the machine is busy; the command may still be obeyed")),
        }
    }

    /// Asks something, and waits for the answer.
    ///
    /// # Errors
    /// There is none, or none in time.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Oracle, Told<T>),
    ) -> Result<T, Response> {
        let Some(oracle) = self.oracle.get() else { return Err(later(2, "the model is being loaded")) };
        let (sender, answer) = oneshot::channel();
        question(&**oracle, Box::new(move |outcome| drop(sender.send(outcome))));
        match timeout(PATIENCE, answer).await {
            Ok(Ok(outcome)) => outcome.map_err(Response::from),
            Ok(Err(_)) => Err(later(2, "the machine is busy with other questions")),
            Err(_) => Err(later(10, "the machine is busy")),
        }
    }

    /// A place among those who read streams.
    ///
    /// # Errors
    /// There are as many as may be.
    pub(super) fn stream(self: &Arc<Self>) -> Result<Reading, Response> {
        let before = self.streams.fetch_add(1, Ordering::Relaxed);
        let reading = Reading(Arc::clone(self));
        if before < STREAMS { Ok(reading) } else { Err(later(10, "as many streams are read as may be: 32")) }
    }
}

/// Somebody reads a stream.
pub(super) struct Reading(Arc<App>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}
