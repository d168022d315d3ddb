//! Threads where the system may have none left: an error or work on the caller's own, never a panic.

use std::io;
use std::panic::resume_unwind;
use std::thread::{Builder, JoinHandle, Scope};

use crate::error::{Error, Result};

/// What to do when the system starts no more threads.
const NO_THREAD: &str = "fewer programs of this user, or a higher limit (TasksMax= of the service, ulimit -u, --pids-limit of the container)";

/// Starts a thread that messages call `name`.
///
/// # Errors
/// [`Error::Device`] if the system has none left.
pub(crate) fn start<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    Builder::new().spawn(work).map_err(|refused| no_thread(name, &refused))
}

/// The error of a thread that could not be started.
pub(crate) fn no_thread(name: &str, refused: &io::Error) -> Error {
    Error::device(name, format!("no more threads ({refused})"), NO_THREAD)
}

/// Starts `work` beside the caller, and returns what waits for its result. Where there is no thread for it,
/// the caller does it then.
pub(crate) fn beside<'scope, T, F>(
    scope: &'scope Scope<'scope, '_>,
    work: F,
) -> impl FnOnce() -> T + use<'scope, T, F>
where
    T: Send + 'scope,
    F: Fn() -> T + Copy + Send + 'scope,
{
    let started = Builder::new().spawn_scoped(scope, work);
    move || match started {
        Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
        Err(_) => work(),
    }
}
