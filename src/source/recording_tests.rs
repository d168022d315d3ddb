use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::container::Cutout;
use super::super::live::Encoding;
use super::*;
use crate::frame::PixelFormat;

/// Frames at these milliseconds, broken parts between.
struct Listed(VecDeque<Option<Option<u64>>>);

impl Container for Listed {
    fn next(&mut self) -> Result<Piece<'_>> {
        let encoding = Encoding::Raw { width: 1, height: 1, stride: 1, format: PixelFormat::Grey8 };
        Ok(match self.0.pop_front() {
            None => Piece::End,
            Some(None) => Piece::Broken("torn".to_owned()),
            Some(Some(time)) => {
                Piece::Frame(Cutout { bytes: &[7], encoding, time: time.map(Duration::from_millis) })
            }
        })
    }
}

fn recording(pieces: &[Option<Option<u64>>], pace: Pace) -> Recording {
    let pieces: VecDeque<_> = pieces.iter().copied().collect();
    let open = move || Ok(Box::new(Listed(pieces.clone())) as Box<dyn Container>);
    Recording::new("it", Box::new(open), pace).unwrap()
}

/// Places in milliseconds of the next `count` frames, by number.
fn places(recording: &mut Recording, count: usize) -> Vec<(u64, Option<u128>)> {
    let mut frame = CapturedFrame::empty();
    let mut found = Vec::new();
    while found.len() < count {
        match recording.next(&mut frame).unwrap() {
            Next::Frame => found.push((frame.number, frame.media_time.map(|time| time.as_millis()))),
            Next::End => break,
            _ => {}
        }
    }
    found
}

#[test]
fn frames_keep_their_times_or_get_those_of_a_rate() {
    let times = [Some(Some(0)), Some(Some(50)), Some(Some(70))];
    let mut own = recording(&times, Pace::default());
    assert_eq!(places(&mut own, 9), [(0, Some(0)), (1, Some(50)), (2, Some(70))]);
    let mut even = recording(&times, Pace { fps: Some(10), ..Pace::default() });
    assert_eq!(places(&mut even, 9), [(0, Some(0)), (1, Some(100)), (2, Some(200))]);
    assert_eq!(places(&mut recording(&[Some(None)], Pace::default()), 9), [(0, None)]);
}

#[test]
fn a_repeated_recording_goes_on_counting() {
    let pace = Pace { repeat: true, ..Pace::default() };
    let mut twice = recording(&[Some(Some(0)), None, Some(Some(30))], pace);
    let expected = [(0, Some(0)), (1, Some(30)), (2, Some(60)), (3, Some(90)), (4, Some(120))];
    assert_eq!(places(&mut twice, 5), expected);
    let mut one = recording(&[Some(Some(0))], pace);
    assert_eq!(places(&mut one, 3), [(0, Some(0)), (1, Some(40)), (2, Some(80))]);
}

#[test]
fn what_is_gone_while_it_is_repeated_is_told_and_played_again_when_it_is_back() {
    let passes = AtomicUsize::new(0);
    let whole = [Some(Some(0)), Some(Some(30))];
    let open = move || {
        let pieces: &[_] = match passes.fetch_add(1, Ordering::Relaxed) {
            // It is being written, then it is not there.
            1 => &[],
            2 => return Err(Error::input("it", "nothing there", "a film")),
            _ => &whole,
        };
        Ok(Box::new(Listed(pieces.iter().copied().collect())) as Box<dyn Container>)
    };
    let pace = Pace { repeat: true, ..Pace::default() };
    let mut film = Recording::new("it", Box::new(open), pace).unwrap();
    film.retry = Retry::new(Duration::from_millis(5), Duration::from_millis(10));
    let (mut frame, mut seen, mut numbers) = (CapturedFrame::empty(), Vec::new(), Vec::new());
    while numbers.len() < 4 {
        match film.next(&mut frame).unwrap() {
            Next::Frame => numbers.push(frame.number),
            Next::Nothing => {}
            other => seen.push(other),
        }
    }
    assert_eq!(numbers, [0, 1, 2, 3]);
    assert_eq!(seen, [Next::Stalled("nothing; it will be played again when it is back".to_owned())]);
}

#[test]
fn at_its_own_rate_no_frame_comes_early_and_long_waits_can_be_left() {
    let pace = Pace { real_time: true, ..Pace::default() };
    let mut slow = recording(&[Some(Some(0)), Some(Some(40)), Some(Some(440))], pace);
    assert!(!slow.waits());
    let mut frame = CapturedFrame::empty();
    let mut nothing = 0;
    let mut taken = Vec::new();
    loop {
        match slow.next(&mut frame).unwrap() {
            Next::Frame => taken.push(frame.taken),
            Next::Nothing => nothing += 1,
            Next::End => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(taken.len(), 3);
    assert!(taken[1] - taken[0] >= Duration::from_millis(39), "{:?}", taken[1] - taken[0]);
    assert!(taken[2] - taken[0] >= Duration::from_millis(439), "{:?}", taken[2] - taken[0]);
    assert!(nothing >= 1);
}

#[test]
fn without_a_whole_frame_it_is_an_error_even_when_repeated() {
    let pace = Pace { repeat: true, ..Pace::default() };
    let mut torn = recording(&[None, None], pace);
    let mut frame = CapturedFrame::empty();
    for _ in 0..2 {
        assert_eq!(torn.next(&mut frame).unwrap(), Next::Broken("frame 0: torn".to_owned()));
    }
    let line = torn.next(&mut frame).unwrap_err().to_string();
    assert_eq!(line, "it: found no whole frame (2 broken, the last: torn), expected frames");
    let line = recording(&[], pace).next(&mut frame).unwrap_err().to_string();
    assert_eq!(line, "it: found nothing, expected frames");
}
