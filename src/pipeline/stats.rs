//! Rates and latencies of a source.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::durations::Durations;
use crate::sinks::{Latency, LiveTiming, STAGES};

/// Span over which rates are counted.
const SPAN: Duration = Duration::from_secs(5);

/// What is measured of one source.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    latency: Durations,
    stages: [Durations; STAGES.len()],
    looks: VecDeque<Instant>,
    captures: VecDeque<(Instant, u64)>,
    /// Frames that were looked at.
    pub looked: u64,
    /// Frames that were not looked at because nothing had moved.
    pub still: u64,
}

impl Stats {
    /// Notes that a result was ready at `now`, so long after its frame was taken, of which its stages took these times.
    pub fn looked(&mut self, now: Instant, latency: Duration, timing: &LiveTiming) {
        self.looked += 1;
        self.looks.push_back(now);
        self.latency.add(latency);
        for (durations, took) in self.stages.iter_mut().zip(timing.stages()) {
            durations.add(took);
        }
        self.forget(now);
    }

    /// Notes how many frames have been captured at `now`. Time counts from the first on: a camera may take seconds to start.
    pub fn captured(&mut self, now: Instant, frames: u64) {
        if frames > 0 {
            self.captures.push_back((now, frames));
            self.forget(now);
        }
    }

    /// Looks a second, over the last seconds; 0 when there was none for longer than that and than they were apart.
    pub fn looks_per_second(&mut self, now: Instant) -> f32 {
        self.forget(now);
        match (self.looks.front(), self.looks.back()) {
            (Some(first), Some(last)) if last > first => {
                let apart = (*last - *first).as_secs_f32() / (self.looks.len() - 1) as f32;
                let silent = now.saturating_duration_since(*last).as_secs_f32();
                if silent > SPAN.as_secs_f32().max(2.0 * apart) { 0.0 } else { 1.0 / apart }
            }
            _ => 0.0,
        }
    }

    /// Frames captured a second, over the last seconds.
    pub fn captures_per_second(&self) -> f32 {
        match (self.captures.front(), self.captures.back()) {
            (Some((start, before)), Some((end, after))) if end > start => {
                (after - before) as f32 / (*end - *start).as_secs_f32()
            }
            _ => 0.0,
        }
    }

    /// From capture to result, of the latest looks; `None` before the first.
    pub fn latency(&self) -> Option<Latency> {
        self.latency.latest()
    }

    /// The same of each stage, in the order of [`STAGES`].
    pub fn stages(&self) -> Option<[Latency; STAGES.len()]> {
        all(self.stages.each_ref().map(Durations::latest))
    }

    /// Latency and stages of all looks, at most 1/32 off; `None` before the first.
    pub fn overall(&self) -> Option<(Latency, [Latency; STAGES.len()])> {
        Some((self.latency.overall()?, all(self.stages.each_ref().map(Durations::overall))?))
    }

    fn forget(&mut self, now: Instant) {
        let old = |then: Instant| now.saturating_duration_since(then) > SPAN;
        while self.looks.len() > 2 && self.looks.front().is_some_and(|then| old(*then)) {
            self.looks.pop_front();
        }
        while self.captures.len() > 2 && self.captures.front().is_some_and(|(then, _)| old(*then)) {
            self.captures.pop_front();
        }
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

    #[test]
    fn rates_begin_with_the_first_frame_and_end_when_none_comes() {
        let (mut stats, start) = (Stats::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        for ms in [0, 1000, 2000] {
            stats.captured(at(ms), 0);
        }
        stats.captured(at(2200), 1);
        stats.captured(at(2400), 5);
        assert!((stats.captures_per_second() - 20.0).abs() < 0.01);
        for ms in [2200, 2300, 2400] {
            stats.looked(at(ms), Duration::ZERO, &LiveTiming::default());
        }
        assert!((stats.looks_per_second(at(2400)) - 10.0).abs() < 0.01);
        assert!((stats.looks_per_second(at(7000)) - 10.0).abs() < 0.01);
        assert_eq!(stats.looks_per_second(at(7500)), 0.0);
    }

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let (mut stats, start) = (Stats::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        for i in 0..100 {
            stats.looked(at(i * 100), Duration::ZERO, &LiveTiming::default());
            stats.captured(at(i * 100), i * 3);
        }
        assert!((stats.looks_per_second(at(9900)) - 10.0).abs() < 0.01);
        assert!((stats.captures_per_second() - 30.0).abs() < 0.01);
        for i in 0..20 {
            stats.looked(at(10_000 + i * 500), Duration::ZERO, &LiveTiming::default());
        }
        assert!((stats.looks_per_second(at(19_500)) - 2.0).abs() < 0.01);
        assert_eq!(stats.looked, 120);
        assert!(stats.looks.len() < 60, "memory stays flat");
    }
}
