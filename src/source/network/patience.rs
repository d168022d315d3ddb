//! Time limits of network sources.

use std::time::Duration;

use crate::source::retry::{FIRST_PAUSE, LONGEST_PAUSE};

/// How long to wait for a network source. One that was there once is reconnected forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Longest time to connect, until the camera has agreed to send.
    pub connect: Duration,
    /// Longest time without a frame; then the source is reconnected.
    pub stall: Duration,
    /// Pause before the first attempt to reconnect; it doubles with each further one until a frame arrives.
    pub first_pause: Duration,
    /// Longest of these pauses.
    pub longest_pause: Duration,
}

impl Default for Patience {
    /// 10 s to connect, 10 s for a frame, pauses of 1, 2, 4, 5, 5 … s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(10),
            first_pause: FIRST_PAUSE,
            longest_pause: LONGEST_PAUSE,
        }
    }
}

/// A duration for messages.
pub(in crate::source) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f32())
}
