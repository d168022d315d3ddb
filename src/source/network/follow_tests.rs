use std::cell::Cell;
use std::time::Instant;

use super::*;
use crate::source::live::{Encoding, Live, Shot};
use crate::source::network::Remote;

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(1),
    stall: Duration::from_secs(1),
    first_pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(40),
};

/// The next thing that is not [`Next::Nothing`].
fn next(remote: &mut Remote, shot: &mut Shot) -> Next {
    loop {
        match remote.next(shot).unwrap() {
            Next::Nothing => {}
            next => return next,
        }
    }
}

/// A source that follows `connect`; each session leaves one frame, whose byte is its number.
fn start(
    connect: impl Fn(u8) -> std::result::Result<(), Fault> + Send + 'static,
) -> crate::error::Result<Remote> {
    Remote::start("cam", Duration::from_secs(9), move |mailbox, opened| {
        let tries = Cell::new(0);
        let attempt = || {
            tries.set(tries.get() + 1);
            connect(tries.get()).map(|()| tries.get())
        };
        let play = |number| {
            mailbox.leave(&mut vec![number], Encoding::Jpeg, Instant::now(), None);
            "gone".to_owned()
        };
        follow(mailbox, PATIENCE, opened, attempt, play);
    })
}

#[test]
fn a_first_connection_that_fails_is_an_error() {
    let error = start(|_| Err(Fault::new("nobody", "a camera"))).err().unwrap().to_string();
    assert_eq!(error, "cam: found nobody, expected a camera");
}

#[test]
fn later_ones_are_tried_again_and_a_lasting_fault_is_told_once() {
    let connect = |number| if (2..6).contains(&number) { Err(Fault::new("nobody", "")) } else { Ok(()) };
    let mut remote = start(connect).unwrap();
    let mut shot = Shot::empty();
    let mut seen = Vec::new();
    let mut frames = Vec::new();
    while seen.len() < 4 {
        match next(&mut remote, &mut shot) {
            Next::Frame => frames.push((shot.number, shot.bytes[0])),
            other => seen.push(other),
        }
    }
    let stalled = |why: &str| Next::Stalled(why.to_owned());
    assert_eq!(seen, [stalled("gone"), stalled("nobody"), stalled("gone"), stalled("gone")]);
    assert_eq!(frames[0], (0, 1));
    // The sixth attempt is the next that leads to a frame.
    assert_eq!(frames[1], (1, 6));
}

#[test]
fn pauses_double_up_to_the_longest() {
    let mut pauses = Pauses::new(Patience::default());
    let taken: Vec<u64> = (0..7).map(|_| pauses.next().as_secs()).collect();
    assert_eq!(taken, [1, 2, 4, 8, 16, 30, 30]);
}

#[test]
fn a_thread_that_dies_is_an_error_and_not_silence() {
    let mut remote = Remote::start("cam", Duration::ZERO, |_, opened| opened(Ok(()))).unwrap();
    let mut shot = Shot::empty();
    let error = loop {
        match remote.next(&mut shot) {
            Ok(next) => assert_eq!(next, Next::Nothing),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("the thread of cam has ended"), "{error}");
}
