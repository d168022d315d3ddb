//! How long a source behind a network is waited for.

use std::time::Duration;

/// How long sources behind a network are waited for. A source that was there once is tried again for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Longest time to connect, until the stream is promised.
    pub connect: Duration,
    /// Longest time without a frame; after it the source is connected anew.
    pub stall: Duration,
    /// First pause before connecting anew; each further one is twice as long until frames come again.
    pub first_pause: Duration,
    /// Longest of these pauses.
    pub longest_pause: Duration,
}

impl Default for Patience {
    /// 10 s to connect, 10 s for a frame, pauses of 1, 2, 4, … 30 s.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(10),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
        }
    }
}
