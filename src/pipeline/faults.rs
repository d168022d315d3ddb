//! What goes wrong with a source, counted and told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::reasons::Reasons;

/// What went wrong with a source. A broken cable must not fill a disk, so that what is told grows ever rarer,
/// for each reason by itself; that the source works again is told as well.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    broken: AtomicU64,
    stalled: AtomicU64,
    lost: AtomicU64,
    reasons: Mutex<Reasons>,
}

impl Faults {
    /// Frames that could not be used.
    pub(crate) fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }

    /// Times that no frame arrived for too long.
    pub(crate) fn stalled(&self) -> u64 {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Times that the source was gone, however many attempts it took to reopen it.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Counts a broken frame and reports it.
    pub(crate) fn add_broken(&self, source: &str, why: &str) {
        self.broken.fetch_add(1, Ordering::Relaxed);
        self.report(source, why, "broken frames");
    }

    /// Counts a stall and reports it.
    pub(crate) fn add_stalled(&self, source: &str, why: &str) {
        self.stalled.fetch_add(1, Ordering::Relaxed);
        self.report(source, why, "stalls");
    }

    /// Reports that the source cannot be read or opened, which counts if it is `new`.
    pub(crate) fn add_lost(&self, source: &str, why: &str, new: bool) {
        self.lost.fetch_add(u64::from(new), Ordering::Relaxed);
        self.report(source, why, "losses");
    }

    /// A frame was looked at. Reports that if the source did not work before.
    pub(crate) fn recovered(&self, source: &str) {
        let recovery = self.reasons.lock().unwrap_or_else(PoisonError::into_inner).succeeded(Instant::now());
        if let Some(recovery) = recovery {
            tracing::info!("{source}: works {recovery}");
        }
    }

    fn report(&self, source: &str, why: &str, what: &str) {
        let now = Instant::now();
        let told = self.reasons.lock().unwrap_or_else(PoisonError::into_inner).failed(why, now);
        if let Some(count) = told {
            // The source's own errors begin with its name.
            let name = if why.starts_with(source) { String::new() } else { format!("{source}: ") };
            tracing::warn!("{name}{why} ({count} {what} so far)");
        }
    }
}
