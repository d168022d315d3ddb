use std::sync::mpsc::{Receiver, channel};

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

/// The next thing that is not [`Next::Nothing`].
fn next(pipe: &mut Pipe, shot: &mut Shot) -> Next {
    loop {
        match pipe.next(shot).unwrap() {
            Next::Nothing => {}
            next => return next,
        }
    }
}

#[test]
fn markers_inside_segments_do_not_cut() {
    assert_eq!(cut(SMALL), Cut::Frame(SMALL.len()));
    for length in 0..SMALL.len() {
        assert_eq!(cut(&SMALL[..length]), Cut::More, "{length}");
    }
    assert_eq!(cut(&[SMALL, SMALL].concat()), Cut::Frame(SMALL.len()));
}

#[test]
fn garbage_goes_up_to_the_next_start() {
    assert_eq!(cut(&[b"noise\xff", SMALL].concat()), Cut::Garbage(6, "bytes that are no JPEG"));
    let torn = &SMALL[..14];
    assert_eq!(cut(&[torn, SMALL].concat()), Cut::Garbage(torn.len(), "no end before the next start"));
    assert_eq!(cut(&[0xff, 0xd8, 0xff, 0xd9, 9]), Cut::Garbage(2, "no end before the next start"));
}

#[test]
fn frames_in_any_pieces_arrive_and_the_end_is_told() {
    let (send, receive) = channel();
    let mut pipe = Pipe::new(Pieces(receive));
    let mut shot = Shot::empty();
    for number in 0..3 {
        send.send(SMALL[..5].to_vec()).unwrap();
        assert_eq!(pipe.next(&mut shot).unwrap(), Next::Nothing);
        send.send(SMALL[5..].to_vec()).unwrap();
        assert_eq!(next(&mut pipe, &mut shot), Next::Frame);
        assert_eq!(shot.number, number);
        assert!(shot.bytes.ends_with(&SMALL[2..]));
    }
    send.send([b"xx", SMALL].concat()).unwrap();
    assert_eq!(next(&mut pipe, &mut shot), Next::Broken("frame 3: bytes that are no JPEG".to_owned()));
    assert_eq!(next(&mut pipe, &mut shot), Next::Frame);
    send.send(SMALL[..9].to_vec()).unwrap();
    drop(send);
    assert!(matches!(next(&mut pipe, &mut shot), Next::Broken(why) if why.contains("cut short")));
    assert_eq!(next(&mut pipe, &mut shot), Next::End);
}

#[test]
fn only_the_newest_frame_is_kept() {
    let (send, receive) = channel();
    send.send(SMALL.repeat(5)).unwrap();
    drop(send);
    let mut pipe = Pipe::new(Pieces(receive));
    let mut shot = Shot::empty();
    thread::sleep(PATIENCE);
    assert_eq!(next(&mut pipe, &mut shot), Next::Frame);
    assert_eq!(shot.number, 4);
    assert_eq!(next(&mut pipe, &mut shot), Next::End);
}
