use std::io::Cursor;

use super::*;

fn chunk(code: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_le_bytes();
    let padding: &[u8] = if payload.len() % 2 == 1 { &[0] } else { &[] };
    [code, &length[..], payload, padding].concat()
}

fn list(kind: &[u8; 4], inside: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[kind, &inside.concat()[..]].concat())
}

/// Audio as stream 00, video of `codec` at 25/2 frames a second as stream 01, and these chunks.
fn avi(codec: &[u8; 4], chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut header = [0; 32];
    header[..4].copy_from_slice(b"vids");
    header[20] = 2;
    header[24] = 25;
    let mut format = [0; 40];
    format[16..20].copy_from_slice(codec);
    let audio = list(b"strl", &[chunk(b"strh", b"auds"), chunk(b"strf", &[0; 40])]);
    let video = list(b"strl", &[chunk(b"strh", &header), chunk(b"strf", &format)]);
    let headers = list(b"hdrl", &[chunk(b"avih", &[0; 56]), audio, video]);
    let inside = [headers, list(b"movi", chunks), chunk(b"idx1", &[1; 16])].concat();
    chunk(b"RIFF", &[b"AVI ", &inside[..]].concat())
}

/// All pieces: a frame's last byte and its milliseconds, or why there is none.
fn pieces(bytes: Vec<u8>) -> Vec<std::result::Result<(u8, u128), String>> {
    let mut file = match Avi::new(Input::new("x", Cursor::new(bytes))) {
        Ok(file) => file,
        Err(error) => return vec![Err(error.to_string())],
    };
    let mut found = Vec::new();
    loop {
        match file.next().unwrap() {
            Piece::Frame(frame) => {
                found.push(Ok((*frame.bytes.last().unwrap(), frame.time.unwrap().as_millis())));
            }
            Piece::Broken(why) => found.push(Err(why)),
            Piece::Nothing => panic!("a file has something or has ended"),
            Piece::End => return found,
        }
    }
}

fn frame(last: u8) -> Vec<u8> {
    chunk(b"01dc", &[0xff, 0xd8, last])
}

#[test]
fn frames_of_the_video_stream_have_their_times() {
    let chunks =
        [frame(1), chunk(b"00wb", &[9; 7]), chunk(b"01dc", &[]), list(b"rec ", &[frame(2)]), frame(3)];
    // An empty chunk shows the frame before again.
    assert_eq!(pieces(avi(b"mjpg", &chunks)), [Ok((1, 0)), Ok((2, 160)), Ok((3, 240))]);
}

#[test]
fn after_damage_the_next_frame_is_found() {
    let whole = avi(b"MJPG", &[frame(1), frame(2), frame(3)]);
    let first = whole.windows(4).position(|code| code == b"01dc").unwrap();
    let mut wrong = whole.clone();
    // Longer than the file; one byte too long; no chunk at all.
    for (at, byte, part) in [(7, 1, "cut short"), (4, 5, "wrong length"), (1, 0xee, "no chunk")] {
        wrong[first + at] = byte;
        let found = pieces(wrong.clone());
        assert!(matches!(&found[0], Err(why) if why.contains(part)), "{found:?}");
        assert!(matches!(&found[1..], [Ok((2, _)), Ok((3, _))]), "{found:?}");
        wrong.clone_from(&whole);
    }
    wrong[first + 8] = 0;
    assert_eq!(pieces(wrong)[0], Err("bytes that are not JPEG".to_owned()));
    let cut = pieces(whole[..first + 9].to_vec());
    assert!(matches!(&cut[..], [Err(why)] if why.contains("cut short")), "{cut:?}");
}

#[test]
fn other_codecs_and_other_files_are_refused() {
    let found = pieces(avi(b"H264", &[frame(1)]));
    assert!(matches!(&found[..], [Err(line)] if line.contains("AVI of codec \"H264\"")), "{found:?}");
    let found = pieces(b"RIFF....WAVE".to_vec());
    assert!(matches!(&found[..], [Err(line)] if line.contains("no AVI header")), "{found:?}");
}

/// Start, a scan, end.
const SMALL: [u8; 10] = [0xff, 0xd8, 0xff, 0xda, 0, 2, 7, 8, 0xff, 0xd9];

#[test]
fn a_whole_picture_is_delivered_whatever_its_chunk_says() {
    let odd = [&SMALL[..7], &SMALL[6..]].concat();
    for picture in [&SMALL[..], &odd] {
        let frame = || chunk(b"01dc", picture);
        let whole = avi(b"MJPG", &[frame(), frame(), frame()]);
        let expected = [Ok((0xd9, 0)), Ok((0xd9, 80)), Ok((0xd9, 160))];
        assert_eq!(pieces(whole.clone()), expected);
        let places = whole.windows(4).enumerate().filter(|(_, code)| *code == b"01dc");
        let places: Vec<usize> = places.map(|(at, _)| at).collect();
        for length in [0, 1, 5, 9, 12, 13, 200, 100_000, u32::MAX] {
            for which in [&places[..1], &places[1..2], &places[2..], &places[..]] {
                let mut wrong = whole.clone();
                for place in which {
                    wrong[place + 4..place + 8].copy_from_slice(&length.to_le_bytes());
                }
                assert_eq!(pieces(wrong), expected, "{length} at {which:?}");
            }
        }
        // Lengths of RIFF and of lists, and the index, are not looked at.
        let mut wrong = whole.clone();
        wrong[4..8].fill(0xff);
        let movi = whole.windows(4).position(|code| code == b"movi").unwrap();
        wrong[movi - 4..movi].fill(0);
        assert_eq!(pieces(wrong), expected);
    }
}
