//! Smoothing and debouncing, which keep decisions from flickering.

use std::time::Duration;

/// Exponential moving average of values at irregular times. Between values it keeps
/// converging to the last one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Smoothed {
    last: f64,
    mean: f64,
}

impl Smoothed {
    pub(crate) fn new(value: f64) -> Self {
        Self { last: value, mean: value }
    }

    /// Advances in time, with a new value at the end if there is one; a value that is not finite counts as
    /// none. `decay` is the factor that [`decay`] computes for the time step.
    pub(crate) fn advance(&mut self, value: Option<f32>, decay: f64) {
        self.last = value.filter(|value| value.is_finite()).map_or(self.last, f64::from);
        self.mean = self.last + decay * (self.mean - self.last);
    }

    pub(crate) fn mean(&self) -> f64 {
        self.mean
    }
}

/// `exp(−step / constant)`, the weight that an old mean keeps; 0 if the constant is 0.
pub(super) fn decay(step: Duration, constant: f64) -> f64 {
    if constant > 0.0 { (-step.as_secs_f64() / constant).exp() } else { 0.0 }
}

/// Lets a change through once it has been wanted for long enough without interruption.
#[derive(Debug, Clone)]
pub(super) struct Debounce<T> {
    wanted: Option<(T, Duration)>,
}

impl<T: PartialEq + Copy> Debounce<T> {
    pub(crate) fn new() -> Self {
        Self { wanted: None }
    }

    /// The change that has been wanted for at least `seconds` up to `now`, if there is one.
    pub(crate) fn settled(&mut self, seconds: f64, now: Duration, wanted: Option<T>) -> Option<T> {
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
    fn the_average_depends_on_time_and_not_on_the_number_of_steps() {
        let half = std::f64::consts::LN_2;
        let step = |seconds: f64| decay(Duration::from_secs_f64(seconds), 1.0);
        let (mut often, mut once) = (Smoothed::new(0.0), Smoothed::new(0.0));
        once.advance(Some(1.0), step(half));
        often.advance(Some(1.0), step(half / 10.0));
        (1..10).for_each(|_| often.advance(None, step(half / 10.0)));
        assert!((once.mean() - 0.5).abs() < 1e-6 && (often.mean() - once.mean()).abs() < 1e-6);
        once.advance(Some(f32::NAN), step(100.0));
        assert!((once.mean() - 1.0).abs() < 1e-6);
        once.advance(Some(0.0), decay(Duration::ZERO, 0.0));
        assert_eq!(once.mean(), 0.0);
    }

    #[test]
    fn uninterrupted_changes_come_through() {
        let at = Duration::from_secs;
        let mut hold = Debounce::new();
        assert_eq!(hold.settled(2.0, at(0), Some('a')), None);
        assert_eq!(hold.settled(2.0, at(1), None), None);
        assert_eq!(hold.settled(2.0, at(2), Some('a')), None);
        assert_eq!(hold.settled(2.0, at(3), Some('b')), None);
        assert_eq!(hold.settled(2.0, at(5), Some('b')), Some('b'));
        assert_eq!(hold.settled(0.0, at(5), Some('c')), Some('c'));
    }
}
