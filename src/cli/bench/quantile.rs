//! Quantiles of times.

use std::time::Duration;

/// The value below which a share of `sorted` lies, by nearest rank.
pub(super) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_nearest_rank() {
        let times: Vec<Duration> = (1..=30).map(Duration::from_millis).collect();
        let quantiles = [0.0, 0.5, 0.9, 1.0].map(|share| quantile(&times, share).as_millis());
        assert_eq!(quantiles, [1, 15, 27, 30]);
        assert_eq!(quantile(&times[..1], 0.9), times[0]);
        assert_eq!(quantile(&[], 0.5), Duration::ZERO);
    }
}
