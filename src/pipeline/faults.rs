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
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    reasons: Reasons,
    /// When the source was last gone or silent.
    gone: Option<Instant>,
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
        self.report(source, why, ("broken frame", "broken frames"), false);
    }

    /// Counts a stall and reports it.
    pub(crate) fn add_stalled(&self, source: &str, why: &str) {
        self.stalled.fetch_add(1, Ordering::Relaxed);
        self.report(source, why, ("stall", "stalls"), true);
    }

    /// Reports that the source cannot be read or opened, which counts if it is `new`.
    pub(crate) fn add_lost(&self, source: &str, why: &str, new: bool) {
        self.lost.fetch_add(u64::from(new), Ordering::Relaxed);
        self.report(source, why, ("loss", "losses"), true);
    }

    /// A frame was looked at that was `taken` then. Reports that if the source did not work before; a frame from
    /// before it was gone may have waited since.
    pub(crate) fn recovered(&self, source: &str, taken: Instant) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.gone.is_some_and(|gone| taken < gone) {
            return;
        }
        let recovery = told.reasons.succeeded(Instant::now());
        drop(told);
        if let Some(recovery) = recovery {
            tracing::info!("{source}: works {recovery}");
        }
    }

    fn report(&self, source: &str, why: &str, (one, many): (&str, &str), gone: bool) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.gone = if gone { Some(now) } else { told.gone };
        let count = told.reasons.failed(why, now);
        drop(told);
        if let Some(count) = count {
            let what = if count == 1 { one } else { many };
            // The source's own errors begin with its name.
            let name = if why.starts_with(source) { String::new() } else { format!("{source}: ") };
            tracing::warn!("{name}{why} ({count} {what} so far)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_from_before_a_fault_end_none() {
        let faults = Faults::default();
        let begun = Instant::now();
        faults.add_stalled("cam", "the camera has closed the connection");
        let outage = |faults: &Faults| faults.told.lock().unwrap().reasons.is_out();
        faults.recovered("cam", begun);
        assert!(outage(&faults));
        faults.recovered("cam", Instant::now());
        assert!(!outage(&faults));
        // The next frame may have been taken before this one was found to be broken.
        let taken = Instant::now();
        faults.add_broken("cam", "cut short");
        faults.recovered("cam", taken);
        assert!(!outage(&faults));
    }
}
