//! Timestamps of a camera's pictures, and whether decoding keeps up.

use std::time::{Duration, Instant};

/// Largest accepted difference between the camera's clock and ours, in µs.
const SANE: i128 = 5_000_000;

/// Turns RTP timestamps, which start at a random value in each session and are unreliable in many cameras,
/// into times since the source's first picture.
///
/// Times follow the camera's clock, which knows when a picture was taken, as long as it agrees with ours;
/// otherwise they are set to ours.
pub(super) struct CameraClock {
    start: Option<Instant>,
    /// A camera timestamp and the time that corresponds to it, in µs.
    anchor: Option<(i64, i64)>,
    /// The last time returned, in µs.
    newest: i64,
}

impl CameraClock {
    pub(crate) fn start() -> Self {
        Self { start: None, anchor: None, newest: -1 }
    }

    /// Starts a new session, whose timestamps are unrelated to earlier ones.
    pub(crate) fn begin_session(&mut self) {
        self.anchor = None;
    }

    /// The time of a picture with the camera timestamp `stamp` in µs, received at `now`. Strictly increasing.
    pub(crate) fn place(&mut self, stamp: i64, now: Instant) -> Duration {
        let start = *self.start.get_or_insert(now);
        let ours = i64::try_from(now.duration_since(start).as_micros()).unwrap_or(i64::MAX);
        let theirs = self.anchor.and_then(|(from, to)| stamp.checked_sub(from)?.checked_add(to));
        let time = match theirs {
            Some(time) if time > self.newest && (i128::from(time) - i128::from(ours)).abs() < SANE => time,
            _ => {
                let time = ours.max(self.newest.saturating_add(1));
                self.anchor = Some((stamp, time));
                time
            }
        };
        self.newest = time;
        Duration::from_micros(time.unsigned_abs())
    }
}

/// Measures whether decoding leaves any time to spare.
pub(super) struct Load {
    since: Instant,
    waited: Duration,
}

impl Load {
    /// Measurement window.
    const WINDOW: Duration = Duration::from_secs(4);
    /// At least 1 / `SHARE` of the window must be spent waiting.
    const SHARE: u32 = 20;

    pub(crate) fn begin(now: Instant) -> Self {
        Self { since: now, waited: Duration::ZERO }
    }

    /// Adds time spent waiting for the network, which ended at `now`. True if there was next to none in a
    /// whole window, so that pictures pile up.
    pub(crate) fn is_too_much(&mut self, waited: Duration, now: Instant) -> bool {
        self.waited += waited;
        let window = now.duration_since(self.since);
        if window < Self::WINDOW {
            return false;
        }
        let busy = self.waited * Self::SHARE < window;
        *self = Self::begin(now);
        busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1000;

    /// Places a picture with the camera's and our time in ms.
    fn place(clock: &mut CameraClock, start: Instant, stamp: i64, now: u64) -> u128 {
        clock.place(stamp * MS, start + Duration::from_millis(now)).as_millis()
    }

    #[test]
    fn times_follow_the_camera_and_not_the_network() {
        let (mut clock, start) = (CameraClock::start(), Instant::now());
        assert_eq!(place(&mut clock, start, 70_000, 0), 0);
        assert_eq!(place(&mut clock, start, 70_100, 250), 100);
        assert_eq!(place(&mut clock, start, 70_200, 260), 200);
    }

    #[test]
    fn a_clock_that_jumps_is_set_to_ours() {
        let (mut clock, start) = (CameraClock::start(), Instant::now());
        assert_eq!(place(&mut clock, start, 1000, 0), 0);
        assert_eq!(place(&mut clock, start, 90_000_000, 100), 100);
        assert_eq!(place(&mut clock, start, 90_000_100, 190), 200);
        // Back, to before the newest: one step after that.
        assert_eq!(place(&mut clock, start, 5, 195), 200);
        assert_eq!(place(&mut clock, start, 105, 300), 300);
        // A clock that stands still is not followed.
        assert_eq!(place(&mut clock, start, 105, 400), 400);
        clock.begin_session();
        assert_eq!(place(&mut clock, start, 105, 9000), 9000);
        assert_eq!(clock.place(i64::MIN, start + Duration::from_secs(10)), Duration::from_secs(10));
        assert_eq!(clock.place(i64::MAX, start + Duration::from_secs(11)), Duration::from_secs(11));
    }

    #[test]
    fn load_is_too_much_where_no_time_is_left() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut load = Load::begin(start);
        assert!(!load.is_too_much(Duration::from_millis(150), after(3)));
        assert!(load.is_too_much(Duration::from_millis(49), after(4)));
        assert!(!load.is_too_much(Duration::from_millis(10), after(7)));
        assert!(!load.is_too_much(Duration::from_millis(191), after(8)));
    }
}
