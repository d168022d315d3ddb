//! When to try again what has failed.

use std::time::{Duration, Instant};

/// First pause unless told otherwise.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause unless told otherwise: an attempt costs a network of one's own nothing.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Exponential back-off: the pause doubles with each failure in a row, up to a longest one.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    first: Duration,
    longest: Duration,
    failures: u32,
    /// When to try again.
    due: Option<Instant>,
}

impl Retry {
    /// Pauses from `first` to `longest`; nothing has failed yet.
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0, due: None }
    }

    /// Notes a failure: the next attempt is due after a pause.
    pub(crate) fn failed(&mut self) {
        let pause = self.first.saturating_mul(2u32.saturating_pow(self.failures)).min(self.longest);
        self.due = Instant::now().checked_add(pause);
        self.failures = self.failures.saturating_add(1);
    }

    /// Starts again with the shortest pause.
    pub(crate) fn succeeded(&mut self) {
        (self.failures, self.due) = (0, None);
    }

    /// Failures since the last success.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Time until the next attempt; zero when it is due.
    pub(crate) fn remaining(&self) -> Duration {
        self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(Instant::now()))
    }
}

impl Default for Retry {
    /// Pauses of 1, 2, 4, 5, 5 … s.
    fn default() -> Self {
        Self::new(FIRST_PAUSE, LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_again_after_a_success() {
        let mut retry = Retry::default();
        let pause = |retry: &mut Retry| {
            retry.failed();
            retry.remaining().as_secs_f32().ceil() as u64
        };
        let pauses: Vec<u64> = (0..5).map(|_| pause(&mut retry)).collect();
        assert_eq!((pauses.as_slice(), retry.failures()), ([1, 2, 4, 5, 5].as_slice(), 5));
        retry.succeeded();
        assert_eq!((retry.failures(), retry.remaining()), (0, Duration::ZERO));
        assert_eq!(pause(&mut retry), 1);
    }
}
