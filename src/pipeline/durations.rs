//! Percentiles of durations.

use std::collections::VecDeque;
use std::time::Duration;

use crate::report::Latency;

/// Number of latest times that are kept exactly.
const KEPT: usize = 512;
/// Parts of an octave, as a power of two: 16 parts, each at most 1/16 wide.
const PART_BITS: u32 = 4;
const PARTS: u32 = 1 << PART_BITS;
/// Buckets for all numbers of 32 bits: those below [`PARTS`] each, then 28 octaves.
const BUCKETS: usize = ((32 - PART_BITS + 1) * PARTS) as usize;

/// The latest times exactly, and a histogram of all, in microseconds (up to 71 minutes). Memory use is
/// constant.
#[derive(Debug, Clone)]
pub(crate) struct Durations {
    latest: VecDeque<u32>,
    histogram: Box<[u32; BUCKETS]>,
}

impl Default for Durations {
    fn default() -> Self {
        Self { latest: VecDeque::with_capacity(KEPT), histogram: Box::new([0; BUCKETS]) }
    }
}

impl Durations {
    /// Adds a duration.
    pub(crate) fn add(&mut self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        if self.latest.len() == KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(micros);
        if let Some(count) = self.histogram.get_mut(bucket(micros)) {
            *count = count.saturating_add(1);
        }
    }

    /// Percentiles (nearest rank) of the latest 512; `None` before the first.
    pub(crate) fn latest(&self) -> Option<Latency> {
        let mut sorted: Vec<u32> = self.latest.iter().copied().collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let micros = sorted.get((sorted.len() * percent).div_ceil(100).checked_sub(1)?)?;
            Some(Duration::from_micros(u64::from(*micros)))
        };
        Some(Latency { p50: at(50)?, p99: at(99)? })
    }

    /// Percentiles (nearest rank) of all, at most 1/32 off; `None` before the first.
    pub(crate) fn overall(&self) -> Option<Latency> {
        let total: u64 = self.histogram.iter().map(|count| u64::from(*count)).sum();
        let at = |percent: u64| {
            let rank = (total * percent).div_ceil(100);
            let sums = self.histogram.iter().scan(0, |sum, count| {
                *sum += u64::from(*count);
                Some(*sum)
            });
            let found = sums.enumerate().find(|(_, sum)| *sum >= rank && rank > 0)?.0;
            Some(Duration::from_micros(middle(found)))
        };
        Some(Latency { p50: at(50)?, p99: at(99)? })
    }
}

/// The bucket of a number: its octave and the bits after its highest one.
fn bucket(micros: u32) -> usize {
    let octave = micros.checked_ilog2().unwrap_or(0).saturating_sub(PART_BITS);
    (octave * PARTS + (micros >> octave)) as usize
}

/// The middle of a bucket's numbers.
fn middle(bucket: usize) -> u64 {
    let (bucket, parts) = (bucket as u64, u64::from(PARTS));
    let octave = (bucket / parts).saturating_sub(1);
    let first = (bucket - octave * parts) << octave;
    first + ((1 << octave) - 1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(latency: Option<Latency>) -> Option<[f64; 2]> {
        latency.map(|latency| [latency.p50, latency.p99].map(|time| time.as_secs_f64() * 1e3))
    }

    #[test]
    fn percentiles_are_of_nearest_rank() {
        let mut times = Durations::default();
        assert_eq!((times.latest(), times.overall()), (None, None));
        for ms in (1..=200).rev() {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!(milliseconds(times.latest()), Some([100.0, 198.0]));
        let [p50, p99] = milliseconds(times.overall()).unwrap();
        assert!(
            (p50 / 100.0 - 1.0).abs() < 1.0 / 32.0 && (p99 / 198.0 - 1.0).abs() < 1.0 / 32.0,
            "{p50} {p99}"
        );
    }

    #[test]
    fn the_latest_forget_and_the_histogram_does_not() {
        let mut times = Durations::default();
        (0..KEPT * 9).for_each(|_| times.add(Duration::from_millis(8)));
        let memory = times.latest.capacity();
        (0..KEPT).for_each(|_| times.add(Duration::from_millis(100)));
        assert_eq!(milliseconds(times.latest()), Some([100.0, 100.0]));
        let [p50, p99] = milliseconds(times.overall()).unwrap();
        assert!((p50 - 8.0).abs() < 0.25 && (p99 - 100.0).abs() < 3.2, "{p50} {p99}");
        assert_eq!(times.latest.capacity(), memory);
    }

    #[test]
    fn every_number_is_near_the_middle_of_its_bucket() {
        let numbers = (0..5000).chain((0..32).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + 1]));
        for number in numbers.chain([u32::MAX - 1, u32::MAX]) {
            let found = bucket(number);
            assert!(found < BUCKETS, "{number}");
            let off = middle(found).abs_diff(u64::from(number));
            assert!(off * 32 <= u64::from(number), "{number} is {off} off");
        }
        let mut long = Durations::default();
        long.add(Duration::from_secs(1_000_000));
        assert_eq!(milliseconds(long.latest()).unwrap()[0].round(), 4_294_967.0);
    }
}
