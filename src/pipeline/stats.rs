//! Rates and latencies of a source.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Latest latencies that percentiles are taken of.
const KEPT: usize = 512;
/// Span over which rates are counted.
const SPAN: Duration = Duration::from_secs(5);

/// What is measured of one source.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    latencies: VecDeque<Duration>,
    looks: VecDeque<Instant>,
    captures: VecDeque<(Instant, u64)>,
    /// Frames that were looked at.
    pub looked: u64,
    /// Frames that were not looked at because nothing had moved.
    pub still: u64,
}

impl Stats {
    /// Notes that a result was ready at `now`, so long after its frame was taken.
    pub fn looked(&mut self, now: Instant, latency: Duration) {
        self.looked += 1;
        self.looks.push_back(now);
        self.latencies.push_back(latency);
        if self.latencies.len() > KEPT {
            self.latencies.pop_front();
        }
        self.forget(now);
    }

    /// Notes how many frames have been captured at `now`.
    pub fn captured(&mut self, now: Instant, frames: u64) {
        self.captures.push_back((now, frames));
        self.forget(now);
    }

    /// Looks a second, over the last seconds.
    pub fn looks_per_second(&mut self, now: Instant) -> f32 {
        self.forget(now);
        match (self.looks.front(), self.looks.back()) {
            (Some(first), Some(last)) if last > first => {
                (self.looks.len() - 1) as f32 / (*last - *first).as_secs_f32()
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

    /// The latency that so many of a hundred looks stay below (nearest rank); zero before the first.
    pub fn latency(&self, percent: usize) -> Duration {
        let mut sorted: Vec<Duration> = self.latencies.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_nearest_rank() {
        let mut stats = Stats::default();
        assert_eq!(stats.latency(99), Duration::ZERO);
        for ms in (1..=200).rev() {
            stats.looked(Instant::now(), Duration::from_millis(ms));
        }
        let percentiles = [1, 50, 99, 100].map(|percent| stats.latency(percent).as_millis());
        assert_eq!(percentiles, [2, 100, 198, 200]);
    }

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let (mut stats, start) = (Stats::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        for i in 0..100 {
            stats.looked(at(i * 100), Duration::ZERO);
            stats.captured(at(i * 100), i * 3);
        }
        assert!((stats.looks_per_second(at(9900)) - 10.0).abs() < 0.01);
        assert!((stats.captures_per_second() - 30.0).abs() < 0.01);
        for i in 0..20 {
            stats.looked(at(10_000 + i * 500), Duration::ZERO);
        }
        assert!((stats.looks_per_second(at(19_500)) - 2.0).abs() < 0.01);
        assert_eq!(stats.looked, 120);
        assert!(stats.looks.len() < 60, "memory stays flat");
    }
}
