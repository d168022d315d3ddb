//! Sources that are being opened side by side, and whoever waits until there is something to watch.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorParts, Result};

/// Longest wait between two looks at whether to stop.
const POLL: Duration = Duration::from_millis(100);

/// What has become of the first attempts to open sources.
pub(crate) struct Opening {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// One a source; `None` while it is being opened.
    attempts: Vec<Option<Result<()>>>,
    /// Whether frames may be read.
    begun: bool,
}

impl Opening {
    /// None of so many `sources` is open yet.
    pub(crate) fn new(sources: usize) -> Self {
        let attempts = (0..sources).map(|_| None).collect();
        Self { state: Mutex::new(State { attempts, begun: false }), changed: Condvar::new() }
    }

    /// Notes the outcome of a source's first attempt.
    pub(crate) fn attempted(&self, source: usize, outcome: std::result::Result<(), &Error>) {
        if let Some(attempt) = self.lock().attempts.get_mut(source) {
            *attempt = Some(outcome.map_err(|error| ErrorParts::from(error).into()));
        }
        self.changed.notify_all();
    }

    /// Waits until one source is open, `longest` has passed or `stop` returns true.
    ///
    /// # Errors
    /// All have failed: why the first has.
    pub(crate) fn wait(&self, longest: Duration, stop: impl Fn() -> bool) -> Result<()> {
        let until = Instant::now().checked_add(longest);
        let mut state = self.lock();
        loop {
            if state.attempts.is_empty() || state.attempts.iter().any(|tried| matches!(tried, Some(Ok(())))) {
                return Ok(());
            }
            if state.attempts.iter().all(Option::is_some) {
                return state.attempts.swap_remove(0).unwrap_or(Ok(()));
            }
            if stop() || until.is_some_and(|until| Instant::now() >= until) {
                return Ok(());
            }
            state = self.doze(state);
        }
    }

    /// Lets frames be read.
    pub(crate) fn begin(&self) {
        self.lock().begun = true;
        self.changed.notify_all();
    }

    /// Waits until frames may be read, or `stop` returns true.
    pub(crate) fn wait_for_begin(&self, stop: impl Fn() -> bool) {
        let mut state = self.lock();
        while !state.begun && !stop() {
            state = self.doze(state);
        }
    }

    fn doze<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, POLL).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn gone(name: &str) -> Error {
        Error::device(name, "nobody", "a camera")
    }

    #[test]
    fn one_open_source_is_enough_and_none_is_the_first_ones_error() {
        let opening = Opening::new(3);
        opening.attempted(1, Err(&gone("b")));
        opening.wait(Duration::ZERO, || false).unwrap();
        opening.wait(LONG, || true).unwrap();
        opening.attempted(2, Ok(()));
        opening.wait(LONG, || false).unwrap();
        let opening = Opening::new(2);
        opening.attempted(1, Err(&gone("b")));
        opening.attempted(0, Err(&gone("a")));
        let error = opening.wait(LONG, || false).unwrap_err().to_string();
        assert_eq!(error, "a: found nobody, expected a camera");
        Opening::new(0).wait(LONG, || false).unwrap();
    }
}
