//! Measures how often something happens.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Time over which events are counted.
const SPAN: Duration = Duration::from_secs(5);

/// When something happened, over the last few seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frequency {
    times: VecDeque<Instant>,
}

impl Frequency {
    /// Notes that it happened at `now`.
    pub(crate) fn happened(&mut self, now: Instant) {
        self.times.push_back(now);
        let old = |then: &Instant| now.saturating_duration_since(*then) > SPAN;
        while self.times.len() > 2 && self.times.front().is_some_and(old) {
            self.times.pop_front();
        }
    }

    /// Frequency in hertz. 0 before it has happened twice, and once it has not happened for longer than both
    /// [`SPAN`] and twice the mean interval.
    pub(crate) fn per_second(&self, now: Instant) -> f32 {
        match (self.times.front(), self.times.back()) {
            (Some(first), Some(last)) if last > first => {
                let apart = (*last - *first).as_secs_f32() / (self.times.len() - 1) as f32;
                let silent = now.saturating_duration_since(*last).as_secs_f32();
                if silent > SPAN.as_secs_f32().max(2.0 * apart) { 0.0 } else { 1.0 / apart }
            }
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frequency at `now` of what happened at these milliseconds.
    fn hertz(at: impl IntoIterator<Item = u64>, now: u64) -> f32 {
        let (start, mut frequency) = (Instant::now(), Frequency::default());
        let instant = |ms: u64| start + Duration::from_millis(ms);
        at.into_iter().for_each(|ms| frequency.happened(instant(ms)));
        assert!(frequency.times.len() < 100, "memory stays flat");
        frequency.per_second(instant(now))
    }

    #[test]
    fn it_counts_from_the_first_time_on() {
        assert_eq!((hertz([], 100), hertz([50], 100)), (0.0, 0.0));
        assert!((hertz([2200, 2300, 2400], 2400) - 10.0).abs() < 0.01);
    }

    #[test]
    fn it_ends_when_nothing_happens_any_more() {
        assert!((hertz([2200, 2300, 2400], 7000) - 10.0).abs() < 0.01);
        assert_eq!(hertz([2200, 2300, 2400], 7500), 0.0);
        assert!((hertz([0, 4000], 11_900) - 0.25).abs() < 0.01, "what is rare is waited for");
        assert_eq!(hertz([0, 4000], 12_100), 0.0);
    }

    #[test]
    fn it_is_that_of_the_last_seconds() {
        let (often, seldom) = ((0..100).map(|i| i * 100), (0..20).map(|i| 10_000 + i * 500));
        assert!((hertz(often.clone(), 9900) - 10.0).abs() < 0.01);
        assert!((hertz(often.chain(seldom), 19_500) - 2.0).abs() < 0.01);
    }
}
