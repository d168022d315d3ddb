//! What keeps decisions from flickering: averages over time, and time for which something must hold.

use std::time::Duration;

/// Exponential average of values that come at any times. It goes on towards the last value where frames are not looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Smoothed {
    last: f64,
    mean: f64,
}

impl Smoothed {
    pub fn new(value: f64) -> Self {
        Self { last: value, mean: value }
    }

    /// Lets time go by, at the end of which there may be a new value; one that is no number leaves the last in place. `kept`
    /// is what is left of the old mean, as [`kept`] computes it.
    pub fn go_on(&mut self, value: Option<f32>, kept: f64) {
        self.last = value.filter(|value| value.is_finite()).map_or(self.last, f64::from);
        self.mean = self.last + kept * (self.mean - self.last);
    }

    pub fn mean(&self) -> f64 {
        self.mean
    }
}

/// `exp(−step / constant)`; a constant of 0 keeps nothing.
pub(super) fn kept(step: Duration, constant: f64) -> f64 {
    if constant > 0.0 { (-step.as_secs_f64() / constant).exp() } else { 0.0 }
}

/// Something that shall become true if it is wanted for long enough without a break.
#[derive(Debug, Clone)]
pub(super) struct Hold<T> {
    wanted: Option<(T, Duration)>,
}

impl<T: PartialEq + Copy> Hold<T> {
    pub fn new() -> Self {
        Self { wanted: None }
    }

    /// What has been wanted for `seconds` up to now.
    pub fn after(&mut self, seconds: f64, now: Duration, wanted: Option<T>) -> Option<T> {
        self.wanted = match (self.wanted, wanted) {
            (Some((old, since)), Some(new)) if old == new => Some((old, since)),
            (_, new) => new.map(|new| (new, now)),
        };
        let (what, since) = self.wanted?;
        (now.saturating_sub(since).as_secs_f64() >= seconds).then_some(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_depends_on_time_and_not_on_how_often_it_is_asked() {
        let half = std::f64::consts::LN_2;
        let step = |seconds: f64| kept(Duration::from_secs_f64(seconds), 1.0);
        let (mut often, mut once) = (Smoothed::new(0.0), Smoothed::new(0.0));
        once.go_on(Some(1.0), step(half));
        often.go_on(Some(1.0), step(half / 10.0));
        (1..10).for_each(|_| often.go_on(None, step(half / 10.0)));
        assert!((once.mean() - 0.5).abs() < 1e-6 && (often.mean() - once.mean()).abs() < 1e-6);
        once.go_on(Some(f32::NAN), step(100.0));
        assert!((once.mean() - 1.0).abs() < 1e-6);
        once.go_on(Some(0.0), kept(Duration::ZERO, 0.0));
        assert_eq!(once.mean(), 0.0);
    }

    #[test]
    fn what_is_wanted_without_a_break_comes() {
        let at = Duration::from_secs;
        let mut hold = Hold::new();
        assert_eq!(hold.after(2.0, at(0), Some('a')), None);
        assert_eq!(hold.after(2.0, at(1), None), None);
        assert_eq!(hold.after(2.0, at(2), Some('a')), None);
        assert_eq!(hold.after(2.0, at(3), Some('b')), None);
        assert_eq!(hold.after(2.0, at(5), Some('b')), Some('b'));
        assert_eq!(hold.after(0.0, at(5), Some('c')), Some('c'));
    }
}
