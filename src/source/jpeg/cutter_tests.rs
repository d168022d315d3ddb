use super::super::START_OF_IMAGE;
use super::*;

/// Start, an application segment, a scan, end.
const SMALL: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 4, 7, 7, 0xff, 0xda, 0, 2, 7, 0xff, 0, 9, 0xff, 0xd9];

/// Pictures as they are, damage as text.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Picture(Vec<u8>),
    Broken(String),
}

/// What a stream that arrives in pieces of this size holds.
fn in_pieces(stream: &[u8], mut cutter: Cutter, size: usize) -> Vec<Found> {
    let (mut held, mut from, mut found, mut ended) = (Vec::new(), 0, Vec::new(), false);
    loop {
        match cutter.step(&held, ended) {
            Step::More(0) => {
                assert!(!ended, "asked for more at the end");
                let piece = stream.get(from..).unwrap().iter().take(size);
                held.extend(piece.clone());
                from += piece.len();
                ended = from == stream.len();
            }
            Step::More(count) => drop(held.drain(..count)),
            Step::Picture(count) => found.push(Found::Picture(held.drain(..count).collect())),
            Step::Repaired(picture, count) => {
                held.drain(..count);
                found.push(Found::Picture(picture));
            }
            Step::Broken(count, why) => {
                held.drain(..count);
                found.push(Found::Broken(why));
            }
            Step::End => return found,
        }
    }
}

/// The same for pieces of any size.
fn found(stream: &[u8], cutter: impl Fn() -> Cutter) -> Vec<Found> {
    let whole = in_pieces(stream, cutter(), usize::MAX);
    for size in 1..25 {
        assert_eq!(in_pieces(stream, cutter(), size), whole, "in pieces of {size}");
    }
    whole
}

fn small() -> Found {
    Found::Picture(SMALL.to_vec())
}

fn part(boundary: &str, length: &str, body: &[u8]) -> Vec<u8> {
    let header = format!("{boundary}\r\nContent-Type: image/jpeg\r\n{length}\r\n");
    [header.as_bytes(), body, b"\r\n"].concat()
}

#[test]
fn padding_is_no_damage() {
    for padding in [&b""[..], &[0; 3], b"\r\n", b"\n\n", &[0xff; 5], &[0; 5000], b" \t\r\n-"] {
        let stream = [SMALL, padding].concat().repeat(4);
        assert_eq!(found(&stream, || Cutter::new("")), [small(), small(), small(), small()], "{padding:?}");
    }
}

#[test]
fn lengths_and_boundaries_are_hints() {
    let lengths = ["", "8", "0", "-1", "19", "118", "400", "x", "99999999999"].map(|length| match length {
        "" => String::new(),
        length => format!("Content-Length: {length}\r\n"),
    });
    for length in &lengths {
        for body in ["--foo", "--bar", "foo"] {
            let stream = part(body, length, SMALL).repeat(4);
            for announced in ["foo", ""] {
                let all = found(&stream, || Cutter::joining(announced));
                if body == "foo" && announced.is_empty() {
                    continue;
                }
                assert_eq!(all, [small(), small(), small(), small()], "{length:?} {body} {announced}");
            }
        }
    }
}

#[test]
fn what_a_segment_says_is_no_boundary() {
    let segment = |code: u8, text: &[u8]| {
        let length = u16::try_from(text.len() + 2).unwrap().to_be_bytes();
        [&[0xff, code][..], &length, text].concat()
    };
    let header = b"x\r\n--foo\r\nContent-Type: image/jpeg\r\nContent-Length: 9\r\n\r\n\xff\xd8\xff";
    for text in [&b"\r\n--foo\r\n"[..], b"--foo", b"\n--foo\n\n--foo--\r\n", header] {
        for code in [0xfe, 0xe1, 0xef] {
            let picture = [&SMALL[..2], &segment(code, text), &SMALL[2..]].concat();
            let expected = || Found::Picture(picture.clone());
            for length in ["", "Content-Length: 8\r\n", "Content-Length: 0\r\n", "Content-Length: 9999\r\n"] {
                let stream = part("--foo", length, &picture).repeat(4);
                for announced in ["foo", "bar"] {
                    let all = found(&stream, || Cutter::joining(announced));
                    assert_eq!(
                        all,
                        [expected(), expected(), expected(), expected()],
                        "{text:?} {code} {length}"
                    );
                }
            }
            assert_eq!(found(&picture.repeat(2), || Cutter::new("")), [expected(), expected()]);
        }
    }
    // A length that leads into the next part is none.
    let torn = [&SMALL[..2], &[0xff, 0xfe, 0, 90, b'x']].concat();
    let stream = [part("--foo", "", &torn), part("--foo", "", SMALL).repeat(2)].concat();
    assert_eq!(
        found(&stream, || Cutter::joining("foo")),
        [Found::Broken(CUT_SHORT.to_owned()), small(), small()]
    );
}

#[test]
fn the_boundary_may_come_late_twice_or_with_other_line_ends() {
    let twice = [b"--foo\r\n", part("--foo", "", SMALL).as_slice()].concat().repeat(3);
    let bare =
        part("--foo", "", SMALL).repeat(3).iter().filter(|byte| **byte != b'\r').copied().collect::<Vec<_>>();
    let none_first =
        [b"Content-Type: image/jpeg\r\n\r\n", SMALL, b"\r\n", &part("--foo", "", SMALL).repeat(2)].concat();
    let ended =
        [part("--foo", "", SMALL), b"--foo--\r\n".to_vec(), part("--foo", "", SMALL).repeat(2)].concat();
    for stream in [twice, bare, none_first, ended] {
        assert_eq!(found(&stream, || Cutter::joining("foo")), [small(), small(), small()]);
    }
}

#[test]
fn what_belongs_to_a_part_besides_its_picture_is_no_picture() {
    let body = [SMALL, b"trailer with a thumbnail: ", SMALL].concat();
    let stream = part("--foo", &format!("Content-Length: {}\r\n", body.len()), &body).repeat(3);
    assert_eq!(found(&stream, || Cutter::joining("foo")), [small(), small(), small()]);
}

#[test]
fn a_missing_end_marker_is_put_back_where_the_scan_is_whole() {
    let file = std::fs::read("tests/data/cat.jpg").unwrap();
    let bare = &file[..file.len() - 2];
    // Line ends behind the data do no harm.
    let is_whole = |found: &Found| matches!(found, Found::Picture(picture) if picture.starts_with(bare) && picture.len() <= file.len() + 2 && picture.ends_with(&[0xff, 0xd9]));
    let parts = part("--foo", &format!("Content-Length: {}\r\n", bare.len()), bare).repeat(3);
    for stream in [bare.repeat(3), parts.clone()] {
        let all = in_pieces(&stream, Cutter::joining("foo"), 5000);
        assert!(all.len() == 3 && all.iter().all(is_whole), "{} pictures", all.len());
    }
    for announced in ["bar", ""] {
        let all = in_pieces(&parts, Cutter::joining(announced), 5000);
        assert!(all.len() == 3 && all.iter().all(is_whole), "{} pictures", all.len());
    }
    let half = &file[..file.len() / 2];
    let mixed = [part("--foo", "", half), part("--foo", "", &file)].concat();
    for announced in ["foo", "bar", ""] {
        let told = in_pieces(&mixed, Cutter::joining(announced), 5000);
        assert!(matches!(&told[..], [Found::Broken(_), last] if is_whole(last)), "{told:?}");
    }
}

#[test]
fn damage_is_told_once_and_the_next_picture_is_whole() {
    let broken = |why: &str| Found::Broken(why.to_owned());
    let stream = [SMALL, b"\x01\x02junk", SMALL, &SMALL[..12], SMALL, &SMALL[..9]].concat();
    let expected = [
        small(),
        broken("bytes that are not JPEG"),
        small(),
        broken("no end before the next start"),
        small(),
        broken("cut short by the end of the input"),
    ];
    assert_eq!(found(&stream, || Cutter::new("")), expected);
    let text =
        [part("--b", "", SMALL), part("--b", "Content-Length: 5\r\n", b"hello"), part("--b", "", SMALL)]
            .concat();
    assert_eq!(
        found(&text, || Cutter::joining("b")),
        [small(), broken("5 bytes that are not JPEG"), small()]
    );
}

#[test]
fn what_never_ends_is_dropped() {
    let mut cutter = Cutter::new("");
    let mut endless = vec![0xff, START_OF_IMAGE, 0xff, 0xda, 0, 2];
    assert_eq!(cutter.step(&endless, false), Step::More(0));
    endless.resize(LONGEST + 1, 7);
    assert!(matches!(cutter.step(&endless, false), Step::Broken(count, _) if count == LONGEST + 1));
    let header = vec![b'x'; 3 * LONGEST_GAP];
    assert!(matches!(Cutter::joining("b").step(&header, false), Step::More(count) if count > LONGEST_GAP));
}
