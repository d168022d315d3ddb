//! The wall clock, which may be wrong: boards without a battery start in the past, and one that is set leaps.

use std::mem::MaybeUninit;
use std::time::{Duration, Instant, SystemTime};

use super::seal::is_sealed;

/// How far a clock is turned before that is a leap: slewing stays far below.
const LEAP: Duration = Duration::from_secs(60);
/// How long a clock that nobody sets must have gone on evenly to be believed.
const EVEN: Duration = Duration::from_secs(24 * 60 * 60);

/// What the clocks say at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// The wall clock.
    pub wall: SystemTime,
    /// The one that never leaps.
    pub at: Instant,
    /// Whether the kernel was told by somebody who knows the time, as NTP does.
    pub synchronised: bool,
}

impl Reading {
    /// What the system's clocks say now.
    pub(crate) fn now() -> Self {
        Self { wall: SystemTime::now(), at: Instant::now(), synchronised: is_synchronised() }
    }
}

/// Minutes since midnight where this machine is. Its rules are read when this is first called.
#[cfg(feature = "notify")]
pub(crate) fn minute_of_day(time: SystemTime) -> u16 {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = libc::time_t::try_from(seconds).unwrap_or_default();
    let mut parts = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: reads a number and writes to a structure of integers and a pointer, of which all zeros are a value.
    let parts = unsafe {
        libc::localtime_r(&raw const seconds, parts.as_mut_ptr());
        parts.assume_init()
    };
    u16::try_from(60 * parts.tm_hour + parts.tm_min).unwrap_or_default()
}

/// Whether the wall clock may be acted upon where that cannot be undone.
#[derive(Debug)]
pub(crate) struct WallClock {
    last: Reading,
    /// Since when it has not leapt.
    even: Instant,
    /// Whether it was synchronised at any time since then: a sealed process cannot ask again.
    known: bool,
}

impl WallClock {
    pub(crate) fn new(reading: Reading) -> Self {
        Self { last: reading, even: reading.at, known: false }
    }

    /// Whether it is synchronised, or has gone on evenly for a day.
    pub(crate) fn is_believed(&mut self, reading: Reading) -> bool {
        let before = std::mem::replace(&mut self.last, reading);
        let passed = reading.at.saturating_duration_since(before.at);
        let leapt = match reading.wall.duration_since(before.wall) {
            Ok(shown) => shown.abs_diff(passed) > LEAP,
            Err(back) => back.duration() + passed > LEAP,
        };
        if leapt {
            (self.even, self.known) = (reading.at, false);
        }
        self.known |= reading.synchronised;
        self.known || reading.at.saturating_duration_since(self.even) >= EVEN
    }
}

/// What the kernel says of its clock. A sealed process may not ask, since the same call sets the clock.
fn is_synchronised() -> bool {
    if is_sealed() {
        return false;
    }
    let mut state = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: all of `timex` may be zero, and no mode is set, so that it is only written to (adjtimex(2)).
    let found = unsafe { libc::adjtimex(state.as_mut_ptr()) };
    found >= 0 && found != libc::TIME_ERROR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_leaps_is_not_believed_until_it_is_set_or_has_gone_on_for_a_day() {
        let hour = Duration::from_secs(3600);
        let (wall, at) = (SystemTime::UNIX_EPOCH + hour, Instant::now());
        let reading = |wall, at| Reading { wall, at, synchronised: false };
        let mut clock = WallClock::new(reading(wall, at));
        assert!(!clock.is_believed(reading(wall + 23 * hour, at + 23 * hour)));
        assert!(clock.is_believed(reading(wall + 24 * hour, at + 24 * hour)));
        // Ten years ahead, and back.
        let decade = 87_600 * hour;
        assert!(!clock.is_believed(reading(wall + decade, at + 25 * hour)));
        assert!(clock.is_believed(Reading { synchronised: true, ..reading(wall + decade, at + 25 * hour) }));
        assert!(clock.is_believed(reading(wall + decade + hour, at + 26 * hour)));
        // Back, and nobody says that this is right.
        assert!(!clock.is_believed(reading(wall, at + 50 * hour)));
        assert!(!clock.is_believed(reading(wall + 23 * hour, at + 73 * hour)));
        assert!(clock.is_believed(reading(wall + 25 * hour, at + 75 * hour)));
    }

    #[test]
    fn the_system_says_what_it_knows() {
        let now = Reading::now();
        assert!(now.wall > SystemTime::UNIX_EPOCH);
        assert_eq!(now.synchronised, is_synchronised());
    }
}
