use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::super::input::Input;
use super::super::mjpeg::Mjpeg;
use super::*;

/// Start, a segment, a scan with a stuffed and a restart marker, end.
const SMALL: &[u8] =
    &[0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xd9, 0xff, 0xda, 0, 2, 7, 0xff, 0, 0xff, 0xd1, 7, 0xff, 0xd9];

/// Yields each piece it is sent; ends when the sender goes.
struct Pieces(Receiver<Vec<u8>>);

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let piece = self.0.recv().unwrap_or_default();
        into[..piece.len()].copy_from_slice(&piece);
        Ok(piece.len())
    }
}

fn pipe(input: Receiver<Vec<u8>>, waits: bool) -> Pipe {
    Pipe::new(STDIN_NAME, None, move || {
        let container = Box::new(Mjpeg::new(Input::new("standard input", Pieces(input))));
        Ok(PipeContents { container, waits })
    })
    .unwrap()
}

/// The next thing that is not [`Next::Nothing`].
fn next(pipe: &mut Pipe, frame: &mut CapturedFrame) -> Next {
    loop {
        match pipe.next(frame).unwrap() {
            Next::Nothing => {}
            next => return next,
        }
    }
}

/// Waits until the thread has read all that there is.
fn wait_for_end(pipe: &Pipe) {
    while lock(&pipe.slot.0).end.is_none() {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn frames_in_any_pieces_arrive_and_the_end_is_told() {
    let (send, receive) = channel();
    let mut pipe = pipe(receive, false);
    let mut frame = CapturedFrame::empty();
    for number in 0..3 {
        send.send(SMALL[..5].to_vec()).unwrap();
        assert_eq!(pipe.next(&mut frame).unwrap(), Next::Nothing);
        send.send(SMALL[5..].to_vec()).unwrap();
        assert_eq!(next(&mut pipe, &mut frame), Next::Frame);
        assert_eq!(frame.number, number);
        assert!(frame.bytes.ends_with(&SMALL[2..]));
    }
    send.send([b"xx", SMALL].concat()).unwrap();
    assert_eq!(next(&mut pipe, &mut frame), Next::Broken("frame 3: bytes that are not JPEG".to_owned()));
    assert_eq!(next(&mut pipe, &mut frame), Next::Frame);
    send.send(SMALL[..9].to_vec()).unwrap();
    drop(send);
    assert!(matches!(next(&mut pipe, &mut frame), Next::Broken(why) if why.contains("cut short")));
    assert_eq!(next(&mut pipe, &mut frame), Next::End);
}

#[test]
fn only_the_newest_frame_is_kept() {
    let (send, receive) = channel();
    send.send(SMALL.repeat(5)).unwrap();
    drop(send);
    let mut pipe = pipe(receive, false);
    let mut frame = CapturedFrame::empty();
    wait_for_end(&pipe);
    assert_eq!(next(&mut pipe, &mut frame), Next::Frame);
    assert_eq!(frame.number, 4);
    assert_eq!(next(&mut pipe, &mut frame), Next::End);
}

#[test]
fn a_recordings_writer_waits_and_no_frame_is_lost() {
    let (send, receive) = channel();
    send.send(SMALL.repeat(5)).unwrap();
    drop(send);
    let mut pipe = pipe(receive, true);
    let mut frame = CapturedFrame::empty();
    for number in 0..5 {
        thread::sleep(Duration::from_millis(5));
        assert_eq!(next(&mut pipe, &mut frame), Next::Frame);
        assert_eq!(frame.number, number);
        assert!(pipe.waits());
    }
    assert_eq!(next(&mut pipe, &mut frame), Next::End);
    assert_eq!(next(&mut pipe, &mut frame), Next::End);
}

#[test]
fn every_broken_part_is_counted_and_no_frame_at_all_is_an_error() {
    let (send, receive) = channel();
    for _ in 0..3 {
        send.send(SMALL[..14].to_vec()).unwrap();
    }
    drop(send);
    let mut pipe = pipe(receive, false);
    let mut frame = CapturedFrame::empty();
    wait_for_end(&pipe);
    for _ in 0..3 {
        assert!(matches!(next(&mut pipe, &mut frame), Next::Broken(_)));
    }
    let line = pipe.next(&mut frame).unwrap_err().to_string();
    assert_eq!(
        line,
        "standard input: found no whole frame (3 broken, the last: cut short by the end of the input), expected frames"
    );
}

#[test]
fn a_reader_that_goes_ends_the_thread() {
    let (send, receive) = channel();
    let pipe = pipe(receive, true);
    send.send(SMALL.repeat(3)).unwrap();
    let slot = Arc::downgrade(&pipe.slot);
    drop(pipe);
    let since = Instant::now();
    while slot.strong_count() > 0 {
        assert!(since.elapsed() < Duration::from_secs(60), "the thread still runs");
        thread::sleep(Duration::from_millis(1));
    }
}
