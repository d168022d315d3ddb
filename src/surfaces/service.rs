//! The thread that serves all surfaces.

use std::future::Future;
use std::pin::Pin;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::error::{Error, ErrorKind, Result};
use crate::system::start_thread;

/// How long it may take to say goodbye.
const GRACE: Duration = Duration::from_millis(1500);

/// Something that is served until it ends by itself.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The thread.
#[derive(Debug)]
pub(super) struct Service(JoinHandle<()>);

impl Service {
    /// Serves these, side by side.
    ///
    /// # Errors
    /// The system has no thread left, or no way to wait for several sockets.
    pub(super) fn start(tasks: Vec<Task>) -> Result<Self> {
        // Names are looked up on threads beside it.
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(2).build();
        let runtime = runtime.map_err(|error| Error::io(ErrorKind::Device, "surfaces", error))?;
        let thread = start_thread("surfaces", move || {
            runtime.block_on(async {
                let mut all: JoinSet<()> = tasks.into_iter().collect();
                while all.join_next().await.is_some() {}
            });
            // One that looks up a name is not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Self(thread))
    }

    /// Waits until all have ended, but not for long.
    pub(super) fn finish(&self) {
        let until = Instant::now() + GRACE;
        while !self.0.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
}
