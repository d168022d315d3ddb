//! Looking at a source as the program does.

use std::time::{Duration, Instant};

use crate::source::network::Patience;
use crate::source::{CapturedFrame, Live, Next};

/// Long enough for a loaded machine; every test ends by what it sees.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Short pauses; stalls are as long as a loaded machine needs not to see one by mistake.
pub(crate) const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(20),
    stall: Duration::from_secs(20),
    first_pause: Duration::from_millis(20),
    longest_pause: Duration::from_millis(80),
};

/// The next thing that is not [`Next::Nothing`].
pub(crate) fn next(source: &mut dyn Live, shot: &mut CapturedFrame) -> Next {
    let start = Instant::now();
    loop {
        match source.next(shot).unwrap() {
            Next::Nothing => assert!(start.elapsed() < DEADLINE, "nothing came"),
            next => return next,
        }
    }
}

/// The faults up to the next frame that `wanted` takes.
pub(crate) fn until(source: &mut dyn Live, mut wanted: impl FnMut(&mut CapturedFrame) -> bool) -> Vec<Next> {
    let mut shot = CapturedFrame::empty();
    let mut faults = Vec::new();
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < DEADLINE, "not the wanted frame, but {faults:?}");
        match next(source, &mut shot) {
            Next::Frame if wanted(&mut shot) => return faults,
            Next::Frame => {}
            fault => faults.push(fault),
        }
    }
}
