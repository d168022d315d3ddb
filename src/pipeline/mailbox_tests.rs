use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

fn frame(number: u64) -> CapturedFrame {
    let mut frame = CapturedFrame::empty();
    frame.number = number;
    frame
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(20)
}

fn any(_: usize, frame: &CapturedFrame, _: bool) -> Option<u64> {
    Some(frame.number)
}

#[test]
fn a_newer_frame_takes_the_place_of_an_older_one() {
    let mailbox = Mailbox::new(1);
    for number in 0..3 {
        mailbox.put(0, frame(number), false, || false);
    }
    assert_eq!(mailbox.take(soon(), any).map(|(_, frame, _)| frame.number), Some(2));
    assert_eq!(mailbox.counts(0), CaptureCounts { captured: 3, dropped: 2 });
    assert!(mailbox.take(soon(), any).is_none());
}

#[test]
fn a_frame_that_waits_is_not_lost() {
    let mailbox = Arc::new(Mailbox::new(1));
    let theirs = Arc::clone(&mailbox);
    let writer = thread::spawn(move || {
        for number in 0..50 {
            theirs.put(0, frame(number), true, || false);
        }
        theirs.end(0, Ended::Out);
    });
    let mut seen = Vec::new();
    loop {
        let over = mailbox.is_over();
        match mailbox.take(soon(), any) {
            Some((_, frame, _)) => seen.push(frame.number),
            None if over => break,
            None => {}
        }
    }
    writer.join().unwrap();
    assert_eq!(seen, (0..50).collect::<Vec<u64>>());
    assert_eq!(mailbox.counts(0).dropped, 0);
}

#[test]
fn a_writer_that_waits_can_be_stopped() {
    let (mailbox, stop) = (Arc::new(Mailbox::new(1)), Arc::new(AtomicBool::new(false)));
    mailbox.put(0, frame(0), true, || false);
    let (theirs, told) = (Arc::clone(&mailbox), Arc::clone(&stop));
    let writer = thread::spawn(move || {
        theirs.put(0, frame(1), true, || told.load(Ordering::Relaxed));
    });
    stop.store(true, Ordering::Relaxed);
    mailbox.wake();
    writer.join().unwrap();
}

#[test]
fn the_lowest_rank_is_taken_and_the_rest_stays() {
    let mailbox = Mailbox::new(3);
    for (source, number) in [(0, 7), (1, 5), (2, 6)] {
        mailbox.put(source, frame(number), false, || false);
    }
    let not_the_second =
        |source: usize, frame: &CapturedFrame, _: bool| (source != 1).then_some(frame.number);
    assert_eq!(mailbox.take(soon(), not_the_second).map(|(source, ..)| source), Some(2));
    assert_eq!(mailbox.take(soon(), any).map(|(source, ..)| source), Some(1));
    assert_eq!(mailbox.take(soon(), any).map(|(source, ..)| source), Some(0));
}

#[test]
fn memory_of_frames_serves_again() {
    let mailbox = Mailbox::new(1);
    let mut large = frame(0);
    large.bytes = Vec::with_capacity(1000);
    mailbox.put(0, large, false, || false);
    let (source, taken, _) = mailbox.take(soon(), any).unwrap();
    mailbox.give_back(source, taken);
    assert!(mailbox.put(0, frame(1), false, || false).bytes.capacity() >= 1000);
}

#[test]
fn an_error_is_told_once_and_after_the_last_frame() {
    let mailbox = Mailbox::new(2);
    mailbox.put(0, frame(0), false, || false);
    mailbox.end(0, Ended::Failed(Error::device("cam", "gone", "there")));
    assert!(mailbox.has_others(0) && !mailbox.has_others(1) && !mailbox.is_over());
    mailbox.end(1, Ended::Out);
    assert!(mailbox.is_over() && !mailbox.has_others(0));
    assert!(mailbox.take(soon(), |_, _, _| None::<u64>).is_none(), "nobody wants it");
    assert!(mailbox.take(soon(), any).is_some());
    assert!(mailbox.take(Instant::now() + Duration::from_secs(60), any).is_none());
    assert_eq!(mailbox.failure().unwrap().to_string(), "cam: found gone, expected there");
    assert!(mailbox.failure().is_none());
}
