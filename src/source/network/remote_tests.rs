use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::source::live::Encoding;

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(1),
    stall: Duration::from_secs(1),
    first_pause: Duration::from_millis(10),
    longest_pause: Duration::from_millis(40),
};

/// Each session delivers one frame, whose byte is the number of the attempt to connect, and is gone.
struct Script<F> {
    answer: F,
    attempts: u8,
    hung_up: Arc<AtomicU32>,
}

struct Session {
    number: u8,
    over: bool,
}

impl<F: Fn(u8) -> Result<(), Fault> + Send> Protocol for Script<F> {
    type Session = Session;

    fn connect(&mut self) -> Result<Session, Fault> {
        self.attempts += 1;
        (self.answer)(self.attempts).map(|()| Session { number: self.attempts, over: false })
    }

    fn read(&mut self, session: &mut Session, frame: &mut CapturedFrame) -> Result<Next, String> {
        if std::mem::replace(&mut session.over, true) {
            return Err("gone".to_owned());
        }
        frame.fill(&[session.number], Encoding::Jpeg, 0);
        Ok(Next::Frame)
    }

    fn hang_up(&mut self, _: Session) {
        self.hung_up.fetch_add(1, Ordering::Relaxed);
    }
}

/// A source, and how many sessions it has ended.
fn open<F: Fn(u8) -> Result<(), Fault> + Send>(
    answer: F,
) -> error::Result<(Remote<Script<F>>, Arc<AtomicU32>)> {
    let hung_up = Arc::<AtomicU32>::default();
    let script = Script { answer, attempts: 0, hung_up: Arc::clone(&hung_up) };
    Ok((Remote::open("cam", PATIENCE, script)?, hung_up))
}

/// The next result that is not [`Next::Nothing`].
fn next(remote: &mut impl Live, frame: &mut CapturedFrame) -> Next {
    loop {
        match remote.next(frame).unwrap() {
            Next::Nothing => {}
            next => return next,
        }
    }
}

#[test]
fn a_first_connection_that_fails_is_an_error() {
    let error = open(|_| Err(Fault::new("nobody", "a camera"))).err().unwrap().to_string();
    assert_eq!(error, "cam: found nobody, expected a camera");
}

#[test]
fn later_ones_are_tried_again_and_a_lasting_fault_is_reported_once() {
    let connect = |number| if (2..6).contains(&number) { Err(Fault::new("nobody", "")) } else { Ok(()) };
    let (mut remote, hung_up) = open(connect).unwrap();
    // However late a busy machine makes the first call.
    remote.unread = None;
    let mut frame = CapturedFrame::empty();
    let mut seen = Vec::new();
    let mut frames = Vec::new();
    while seen.len() < 4 {
        match next(&mut remote, &mut frame) {
            Next::Frame => frames.push((frame.number, frame.bytes[0])),
            other => seen.push(other),
        }
    }
    let stalled = |why: &str| Next::Stalled(why.to_owned());
    assert_eq!(seen, [stalled("gone"), stalled("nobody"), stalled("gone"), stalled("gone")]);
    // Attempts 2 to 5 fail.
    assert_eq!(frames, [(0, 1), (1, 6), (2, 7)]);
    assert_eq!(hung_up.load(Ordering::Relaxed), 3);
}

#[test]
fn frames_that_piled_up_before_the_first_call_are_not_delivered() {
    let (mut remote, hung_up) = open(|_| Ok(())).unwrap();
    thread::sleep(STALE + Duration::from_millis(100));
    let mut frame = CapturedFrame::empty();
    assert_eq!(next(&mut remote, &mut frame), Next::Frame);
    assert_eq!((frame.number, frame.bytes[0]), (0, 2));
    drop(remote);
    assert_eq!(hung_up.load(Ordering::Relaxed), 2, "a session in use is ended as well");
}

#[test]
fn a_session_that_nobody_could_read_for_a_while_is_replaced_and_no_fault() {
    let (mut remote, hung_up) = open(|_| Ok(())).unwrap();
    remote.unread = None;
    let mut frame = CapturedFrame::empty();
    assert_eq!((next(&mut remote, &mut frame), frame.bytes[0]), (Next::Frame, 1));
    remote.read = Instant::now().checked_sub(ABANDONED + Duration::from_millis(10));
    assert_eq!((next(&mut remote, &mut frame), frame.bytes[0]), (Next::Frame, 2));
    assert_eq!((hung_up.load(Ordering::Relaxed), frame.number), (1, 1));
}

#[test]
fn a_library_that_panics_is_a_fault_of_the_camera() {
    let error = open(|_| panic!("odd\nbytes")).err().unwrap().to_string();
    assert!(
        error.starts_with("cam: found answers that a library cannot read (odd bytes), expected"),
        "{error}"
    );
}
