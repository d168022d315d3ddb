use std::io::Cursor;

use super::*;
use crate::frame::PixelFormat;
use crate::source::Encoding;

/// All pieces: a frame as its bytes, anything else as its reason.
fn pieces(bytes: &[u8]) -> Vec<std::result::Result<Vec<u8>, String>> {
    let mut stream = match Y4m::new(Input::new("x", Cursor::new(bytes.to_vec()))) {
        Ok(stream) => stream,
        Err(error) => return vec![Err(error.to_string())],
    };
    let mut found = Vec::new();
    loop {
        match stream.next().unwrap() {
            Piece::Frame(frame) => found.push(Ok(frame.bytes.to_vec())),
            Piece::Broken(why) => found.push(Err(why)),
            Piece::Nothing => panic!("a file has something or has ended"),
            Piece::End => return found,
        }
    }
}

const HEADER: &[u8] = b"YUV4MPEG2 W2 H1 F30000:1001 Ip A1:1 Cmono XCOLORRANGE=FULL\n";

#[test]
fn frames_have_their_bytes_and_times() {
    let bytes = [HEADER, b"FRAME\nabFRAME Ixyz\ncdFRAME\nFR"].concat();
    assert_eq!(pieces(&bytes), [Ok(b"ab".to_vec()), Ok(b"cd".to_vec()), Ok(b"FR".to_vec())]);
    let mut stream = Y4m::new(Input::new("x", Cursor::new(bytes))).unwrap();
    for microseconds in [0, 33_366, 66_733] {
        let Piece::Frame(frame) = stream.next().unwrap() else { panic!("no frame") };
        assert_eq!(frame.time.unwrap().as_micros(), microseconds);
        assert!(matches!(frame.encoding, Encoding::Raw { format: PixelFormat::Grey8, stride: 2, .. }));
    }
    let mut without_rate = Y4m::new(Input::new("x", &b"YUV4MPEG2 W1 H1 F0:0 Cmono\nFRAME\na"[..])).unwrap();
    assert!(matches!(without_rate.next().unwrap(), Piece::Frame(Cutout { time: None, .. })));
}

#[test]
fn what_is_lost_is_told_and_the_next_frame_found() {
    // A byte too many after the first frame; the last one is cut.
    let found = pieces(&[HEADER, b"FRAME\nab?FRAME\ncdFRAME\ne"].concat());
    assert_eq!(found[0], Ok(b"ab".to_vec()));
    assert_eq!(found[1], Err("no FRAME where one should be, skipped 1 byte".to_owned()));
    assert_eq!(found[2], Ok(b"cd".to_vec()));
    assert_eq!(found[3], Err("cut short by the end of the input: 1 byte of 2".to_owned()));
    assert_eq!(found.len(), 4);
}

#[test]
fn another_stream_may_follow_with_another_size() {
    let found = pieces(&[HEADER, b"FRAME\nabYUV4MPEG2 W3 H1 Cmono\nFRAME\nabc"].concat());
    assert_eq!(found, [Ok(b"ab".to_vec()), Ok(b"abc".to_vec())]);
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let refused = |header: &str, part: &str| {
        let found = pieces(format!("{header}\nFRAME\nabcd").as_bytes());
        assert!(matches!(&found[..], [Err(line)] if line.contains(part)), "{found:?}");
    };
    refused("YUV4MPEG2 W2 H2 C420p10", "found Y4M of colour space 420p10, expected one of 420jpeg");
    refused("YUV4MPEG2 W2 H2 C444alpha", "444alpha");
    refused("YUV4MPEG2 W65536 H65536", "found 65536x65536 pixels, expected 1 to 100000000");
    refused("YUV4MPEG2 W0 H2", "found 0x2 pixels");
    refused("YUV4MPEG2 W2", "without size");
    refused("YUV4MPEG W2 H2", "no Y4M header");
    refused(&format!("YUV4MPEG2 {}", "x".repeat(5000)), "header without end");
}
