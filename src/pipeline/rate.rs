//! How often to look: at the user's rate, or less when the processor gets too warm.

use std::time::Duration;

use crate::config::Target;
use crate::system::Thermal;

/// Smallest share of the rate under throttling.
const LEAST: f32 = 0.1;
/// Factors on the share of the rate for each temperature reading above and below the limit.
const DOWN: f32 = 0.8;
const UP: f32 = 1.05;
/// Degrees below the limit at which the rate rises again.
const MARGIN: f32 = 5.0;
/// Weight of the newest look in the moving average of their durations.
const NEWEST: f32 = 0.1;

/// Decides the time between two looks at a source.
#[derive(Debug, Clone)]
pub(crate) struct RateController {
    target: Target,
    /// Degrees Celsius.
    limit: f32,
    /// Share of the rate that is left, up to 1.
    share: f32,
    /// Average seconds per look; 0 before the first.
    busy: f32,
    sources: usize,
    warmest: Option<f32>,
    reasons: Vec<String>,
}

impl RateController {
    /// Holds `target` for each of `sources` as long as no sensor shows more than `limit` degrees Celsius.
    pub(crate) fn new(target: Target, limit: f32, sources: usize) -> Self {
        Self { target, limit, share: 1.0, busy: 0.0, sources, warmest: None, reasons: Vec::new() }
    }

    /// Changes the settings; what is known of temperature and load stays.
    pub(crate) fn set(&mut self, target: Target, limit: f32) {
        (self.target, self.limit) = (target, limit);
    }

    /// Records how long a look took.
    pub(crate) fn looked(&mut self, took: Duration) {
        let took = took.as_secs_f32();
        self.busy = if self.busy == 0.0 { took } else { self.busy + NEWEST * (took - self.busy) };
    }

    /// Records temperatures; to be called every few seconds. Above the limit, or if the kernel or firmware
    /// throttles the processor down already, the rate falls by a fifth each time; well below, it rises again.
    pub(crate) fn measured(&mut self, thermal: &Thermal) {
        self.warmest = thermal.zones.iter().map(|zone| zone.celsius).max_by(f32::total_cmp);
        self.reasons.clone_from(&thermal.throttled);
        let hot = self.warmest.is_some_and(|celsius| celsius > self.limit);
        let cool = self.warmest.is_none_or(|celsius| celsius < self.limit - MARGIN);
        if hot || !self.reasons.is_empty() {
            self.share = (self.share * DOWN).max(LEAST);
        } else if cool {
            self.share = (self.share * UP).min(1.0);
        }
    }

    /// Time from one look at a source to the next; zero if nothing holds it back.
    pub(crate) fn period(&self) -> Duration {
        let all = self.busy * self.sources as f32;
        let seconds = match self.target {
            Target::Auto if self.share < 1.0 => all / self.share,
            Target::Auto => 0.0,
            Target::Fps(fps) => 1.0 / (fps * self.share),
        };
        Duration::try_from_secs_f32(seconds).unwrap_or(Duration::ZERO)
    }

    /// Whether the target asks for more than the machine can do.
    pub(crate) fn is_behind(&self) -> bool {
        match self.target {
            Target::Auto => false,
            Target::Fps(fps) => self.busy * self.sources as f32 * fps * self.share > 1.0,
        }
    }

    /// Share of the rate that is left under throttling, up to 1.
    pub(crate) fn share(&self) -> f32 {
        self.share
    }

    /// Degrees Celsius of the warmest sensor.
    pub(crate) fn celsius(&self) -> Option<f32> {
        self.warmest
    }

    /// Why kernel or firmware throttle the processor.
    pub(crate) fn throttled(&self) -> &[String] {
        &self.reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Zone;

    fn at(celsius: f32) -> Thermal {
        let zones =
            vec![Zone { name: "cpu".to_owned(), celsius }, Zone { name: "gpu".to_owned(), celsius: 20.0 }];
        Thermal { zones, ..Thermal::default() }
    }

    fn millis(rate: &RateController) -> u128 {
        rate.period().as_millis()
    }

    #[test]
    fn without_heat_the_target_is_held() {
        let mut rate = RateController::new(Target::Fps(4.0), 75.0, 1);
        rate.measured(&at(60.0));
        assert_eq!(millis(&rate), 250);
        assert_eq!(millis(&RateController::new(Target::Auto, 75.0, 1)), 0);
    }

    #[test]
    fn heat_lowers_the_rate_step_by_step_and_cold_gives_it_back() {
        let mut rate = RateController::new(Target::Fps(10.0), 75.0, 1);
        let mut periods = Vec::new();
        for _ in 0..3 {
            rate.measured(&at(80.0));
            periods.push(millis(&rate));
        }
        assert_eq!(periods, [125, 156, 195]);
        for _ in 0..100 {
            rate.measured(&at(80.0));
        }
        assert_eq!((millis(&rate), rate.celsius()), (1000, Some(80.0)));
        rate.measured(&at(72.0));
        assert_eq!(millis(&rate), 1000, "between limit and margin nothing changes");
        for _ in 0..100 {
            rate.measured(&at(60.0));
        }
        assert_eq!((millis(&rate), rate.share()), (100, 1.0));
    }

    #[test]
    fn a_processor_that_is_slowed_down_already_gets_less_work_whatever_it_shows() {
        let mut rate = RateController::new(Target::Auto, 75.0, 2);
        rate.looked(Duration::from_millis(50));
        let throttled = vec!["under-voltage".to_owned()];
        rate.measured(&Thermal { throttled: throttled.clone(), ..Thermal::default() });
        assert_eq!((millis(&rate), rate.throttled()), (125, throttled.as_slice()));
    }

    #[test]
    fn a_target_that_cannot_be_held_is_seen() {
        let mut rate = RateController::new(Target::Fps(10.0), 75.0, 2);
        rate.looked(Duration::from_millis(40));
        assert!(!rate.is_behind());
        for _ in 0..50 {
            rate.looked(Duration::from_millis(60));
        }
        assert!(rate.is_behind());
    }
}
