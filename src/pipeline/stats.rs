//! Rates and latencies of a source.

use std::time::{Duration, Instant};

use super::durations::Durations;
use super::frequency::Frequency;
use crate::report::{Latency, LiveTiming, STAGES};

/// Measurements of one source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stats {
    latency: Durations,
    stages: [Durations; STAGES.len()],
    looks: Frequency,
    /// Frames that were looked at.
    pub looked: u64,
    /// Frames that were not looked at because nothing had moved.
    pub still: u64,
}

impl Stats {
    /// Records a result that was ready at `now`, `latency` after its frame was captured.
    pub(crate) fn looked(&mut self, now: Instant, latency: Duration, timing: &LiveTiming) {
        self.looked += 1;
        self.looks.happened(now);
        self.latency.add(latency);
        for (durations, took) in self.stages.iter_mut().zip(timing.stages()) {
            durations.add(took);
        }
    }

    /// Looks per second, over the last seconds.
    pub(crate) fn looks_per_second(&self, now: Instant) -> f32 {
        self.looks.per_second(now)
    }

    /// From capture to result, of the latest looks; `None` before the first.
    pub(crate) fn latency(&self) -> Option<Latency> {
        self.latency.latest()
    }

    /// The same of each stage, in the order of [`STAGES`].
    pub(crate) fn stages(&self) -> Option<[Latency; STAGES.len()]> {
        all(self.stages.each_ref().map(Durations::latest))
    }

    /// Latency and stages of all looks, at most 1/32 off; `None` before the first.
    pub(crate) fn overall(&self) -> Option<(Latency, [Latency; STAGES.len()])> {
        Some((self.latency.overall()?, all(self.stages.each_ref().map(Durations::overall))?))
    }
}

fn all<const N: usize>(found: [Option<Latency>; N]) -> Option<[Latency; N]> {
    found.iter().all(Option::is_some).then(|| found.map(Option::unwrap_or_default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_has_its_percentiles() {
        let mut stats = Stats::default();
        assert_eq!((stats.latency(), stats.stages(), stats.overall()), (None, None, None));
        for ms in 1..=100 {
            let timing = LiveTiming { queue: Duration::from_millis(2 * ms), ..LiveTiming::default() };
            stats.looked(Instant::now(), Duration::from_millis(ms), &timing);
        }
        let ms = |latency: Latency| [latency.p50.as_millis(), latency.p99.as_millis()];
        assert_eq!(stats.latency().map(ms), Some([50, 99]));
        assert_eq!(stats.stages().map(|stages| stages.map(ms)[..2].to_vec()), Some(vec![[100, 198], [0, 0]]));
        let (latency, stages) = stats.overall().unwrap();
        assert!(
            ms(latency)[0].abs_diff(50) < 3 && ms(stages[0])[1].abs_diff(198) < 7,
            "{latency:?} {stages:?}"
        );
    }
}
