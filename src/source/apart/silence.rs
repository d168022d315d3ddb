//! Whether a camera shows pictures, whatever else it sends and whatever its reader does.

use std::time::{Duration, Instant};

use super::camera::GRACE;
use crate::source::live::Next;
use crate::source::network::seconds;

/// Most that counts of the time between two readings, which come several times a second: this process may have been
/// suspended.
const LONGEST_STEP: Duration = Duration::from_secs(1);

/// Tells of each silence once.
#[derive(Debug)]
pub(super) struct Silence {
    stall: Duration,
    /// The last reading.
    last: Option<Instant>,
    /// For how long there has been no frame.
    waited: Duration,
    told: bool,
}

impl Silence {
    /// Frames come within `stall`; who reads them may be late by a moment.
    pub(super) fn new(stall: Duration) -> Self {
        Self { stall, last: None, waited: Duration::ZERO, told: false }
    }

    /// What has happened, or that nothing has for too long.
    pub(super) fn watch(&mut self, next: Next) -> Next {
        self.watch_at(Instant::now(), next)
    }

    fn watch_at(&mut self, now: Instant, next: Next) -> Next {
        let last = self.last.replace(now).unwrap_or(now);
        self.waited += now.duration_since(last).min(LONGEST_STEP);
        match next {
            Next::Frame | Next::End => (self.waited, self.told) = (Duration::ZERO, false),
            Next::Stalled(_) => self.told = true,
            Next::Nothing if !self.told && self.waited >= self.stall + GRACE => {
                self.told = true;
                return Next::Stalled(format!("no picture for {}, whatever comes", seconds(self.stall)));
            }
            // A fault of a frame is told for itself, and does not end the silence.
            Next::Broken(_) | Next::Nothing => {}
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds go by, in each of which this happens; the first that something else is told, and what.
    fn until(silence: &mut Silence, now: &mut Instant, seconds: u64, what: &Next) -> Option<(u64, Next)> {
        (1..=seconds).find_map(|second| {
            *now += Duration::from_secs(1);
            let next = silence.watch_at(*now, what.clone());
            (next != *what).then_some((second, next))
        })
    }

    #[test]
    fn a_silence_is_told_once_and_a_frame_ends_it() {
        let (mut silence, mut now) = (Silence::new(Duration::from_secs(10)), Instant::now());
        let told = Next::Stalled("no picture for 10 s, whatever comes".to_owned());
        assert_eq!(silence.watch_at(now, Next::Nothing), Next::Nothing);
        assert_eq!(until(&mut silence, &mut now, 90, &Next::Nothing), Some((12, told.clone())));
        assert_eq!(until(&mut silence, &mut now, 90, &Next::Nothing), None);
        // Faults go on being told, and are no pictures.
        assert_eq!(until(&mut silence, &mut now, 1, &Next::Frame), None);
        assert_eq!(until(&mut silence, &mut now, 30, &Next::Broken("odd".to_owned())), None);
        assert_eq!(until(&mut silence, &mut now, 9, &Next::Nothing), Some((1, told.clone())));
        // The reader has said more.
        assert_eq!(until(&mut silence, &mut now, 1, &Next::Frame), None);
        assert_eq!(until(&mut silence, &mut now, 1, &Next::Stalled("no bytes".to_owned())), None);
        assert_eq!(until(&mut silence, &mut now, 90, &Next::Nothing), None);
        // Nobody was there to read.
        assert_eq!(until(&mut silence, &mut now, 1, &Next::Frame), None);
        now += Duration::from_secs(1000);
        assert_eq!(until(&mut silence, &mut now, 9, &Next::Nothing), None);
        assert_eq!(until(&mut silence, &mut now, 9, &Next::Nothing), Some((3, told)));
    }
}
