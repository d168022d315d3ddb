use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Instant;

use super::*;
use crate::error::Error;

/// Plays what it was given, then ends; frames are numbered from 0.
struct Script(VecDeque<Result<Next>>, u64);

impl Live for Script {
    fn name(&self) -> &str {
        "script"
    }

    /// As of a pipe, this is known once a frame has arrived.
    fn waits(&self) -> bool {
        self.1 > 0
    }

    fn next(&mut self, frame: &mut CapturedFrame) -> Result<Next> {
        let next = self.0.pop_front().unwrap_or(Ok(Next::End));
        if let Ok(Next::Frame) = next {
            frame.number = self.1;
            self.1 += 1;
        }
        next
    }
}

fn script(steps: impl IntoIterator<Item = Result<Next>>) -> Result<Box<dyn Live>> {
    Ok(Box::new(Script(steps.into_iter().collect(), 0)))
}

fn gone() -> Error {
    Error::device("cam", "no such device", "a camera")
}

fn begun() -> Arc<Opening> {
    let opening = Opening::new(1);
    opening.begin();
    Arc::new(opening)
}

/// Runs a capture over sources that are opened one after the other; gives frames seen, faults, and the error at the end.
fn run(openings: Vec<Result<Box<dyn Live>>>, persist: bool) -> (u64, [u64; 3], Option<String>) {
    let (mailbox, faults) = (Arc::new(Mailbox::new(1)), Arc::<Faults>::default());
    let openings = Mutex::new(VecDeque::from(openings));
    let open: Open = Box::new(move || openings.lock().unwrap().pop_front().unwrap_or_else(|| script([])));
    let stop = Arc::default();
    let capture = Capture {
        index: 0,
        name: "cam".into(),
        faults: Arc::clone(&faults),
        stop,
        mailbox: Arc::clone(&mailbox),
        opening: begun(),
        persist,
    };
    let thread = capture.start(None, open).unwrap();
    let mut frames = 0;
    loop {
        let (over, until) = (mailbox.is_over(), Instant::now() + Duration::from_millis(50));
        match mailbox.take(until, |_, frame, _| Some(frame.number)) {
            Some((_, frame, _)) => {
                assert_eq!(frame.number, frames, "numbers go on");
                frames += 1;
            }
            None if over => break,
            None => {}
        }
    }
    thread.join().unwrap();
    let failure = mailbox.failure().map(|error| error.to_string());
    (frames, [faults.broken(), faults.stalled(), faults.lost()], failure)
}

#[test]
fn faults_are_counted_and_frames_go_on() {
    let steps = [
        Ok(Next::Frame),
        Ok(Next::Broken("torn".to_owned())),
        Ok(Next::Nothing),
        Ok(Next::Stalled("silence".to_owned())),
        Ok(Next::Frame),
    ];
    assert_eq!(run(vec![script(steps)], false), (2, [1, 1, 0], None));
}

#[test]
fn a_source_that_goes_away_is_opened_again() {
    // Once for as long as no frame comes.
    let openings = vec![script([Ok(Next::Frame), Err(gone())]), Err(gone()), script([Ok(Next::Frame)])];
    assert_eq!(run(openings, true), (2, [0, 0, 1], None));
    let openings = vec![Err(gone()), script([Ok(Next::Frame), Err(gone())]), script([Ok(Next::Frame)])];
    assert_eq!(run(openings, true), (2, [0, 0, 2], None));
}

#[test]
fn without_persistence_its_error_ends_it() {
    let (frames, faults, failure) = run(vec![script([Ok(Next::Frame), Err(gone())])], false);
    assert_eq!((frames, faults), (1, [0; 3]));
    assert_eq!(failure.as_deref(), Some("cam: found no such device, expected a camera"));
}

/// A source with a bug.
struct Panics;

impl Live for Panics {
    fn name(&self) -> &str {
        "panics"
    }

    fn waits(&self) -> bool {
        false
    }

    fn next(&mut self, _: &mut CapturedFrame) -> Result<Next> {
        panic!("a bug")
    }
}

#[test]
fn a_thread_that_dies_is_an_error_and_not_silence() {
    let mailbox = Arc::new(Mailbox::new(1));
    let capture = Capture {
        index: 0,
        name: "cam".into(),
        faults: Arc::default(),
        stop: Arc::default(),
        mailbox: Arc::clone(&mailbox),
        opening: begun(),
        persist: true,
    };
    let open: Open = Box::new(|| Ok(Box::new(Panics)));
    assert!(capture.start(None, open).unwrap().join().is_err());
    assert!(mailbox.is_over());
    assert!(mailbox.failure().unwrap().to_string().contains("the capture thread of cam has died"));
}
