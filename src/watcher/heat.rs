//! Temperatures, which lower the rate.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::pipeline::RateController;
use crate::system::thermal;

/// How often temperatures are read.
const INTERVAL: Duration = Duration::from_secs(2);

/// Reads temperatures every so often.
pub(crate) struct Heat {
    next: Instant,
}

impl Heat {
    /// Due at once.
    pub(crate) fn new() -> Self {
        Self { next: Instant::now() }
    }

    /// Called often; tells `rate` of temperatures when the time has come.
    pub(crate) fn run(&mut self, rate: &mut RateController) {
        let now = Instant::now();
        if now >= self.next {
            self.next = now + INTERVAL;
            measure(rate);
        }
    }
}

/// Reads temperatures, and logs when they begin or cease to lower the rate.
fn measure(rate: &mut RateController) {
    let before = rate.share();
    rate.measured(&thermal(Path::new("/")));
    let share = rate.share();
    if (before == 1.0) != (share == 1.0) {
        let celsius = rate.celsius().map(|celsius| format!("{celsius:.0} °C"));
        let why: Vec<String> = celsius.into_iter().chain(rate.throttled().iter().cloned()).collect();
        let why = why.join(", ");
        if share < 1.0 {
            tracing::warn!("lowering the rate because of heat: {why}");
        } else {
            tracing::info!("back at the full rate: {why}");
        }
    }
}
