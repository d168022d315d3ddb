use super::*;

/// Start, an application segment, a scan, end.
const SMALL: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 4, 7, 7, 0xff, 0xda, 0, 2, 7, 0xff, 0, 9, 0xff, 0xd9];

/// Yields its bytes in pieces of a few.
struct Pieces(Vec<u8>, usize);

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(into.len()).min(self.0.len());
        into[..count].copy_from_slice(&self.0[..count]);
        self.0.drain(..count);
        Ok(count)
    }
}

/// All parts of `stream`, which arrives in pieces of any size.
fn parts(stream: &[u8]) -> Vec<Part> {
    let of = |size| {
        let mut parts = Parts::new(Pieces(stream.to_vec(), size), "b");
        let mut all = Vec::new();
        loop {
            match parts.next(Duration::MAX).unwrap() {
                Part::End => return all,
                part => all.push(part),
            }
        }
    };
    let whole = of(CHUNK);
    for size in 1..20 {
        assert_eq!(of(size), whole, "in pieces of {size}");
    }
    whole
}

/// A part with these lines of header.
fn part(header: &str, body: &[u8]) -> Vec<u8> {
    [format!("--b\r\n{header}\r\n").as_bytes(), body, b"\r\n"].concat()
}

fn with_length(body: &[u8]) -> Vec<u8> {
    part(&format!("Content-Type: image/jpeg\r\nContent-Length: {}\r\n", body.len()), body)
}

fn picture() -> Part {
    Part::Picture(SMALL.to_vec())
}

fn broken(why: &str) -> Part {
    Part::Broken(why.to_owned())
}

#[test]
fn boundaries_are_found_however_they_are_written() {
    for (header, expected) in [
        ("multipart/x-mixed-replace;boundary=frame", "frame"),
        ("multipart/x-mixed-replace; charset=utf-8; Boundary=\"my frame\"", "my frame"),
        ("multipart/x-mixed-replace; boundary=--myboundary", "myboundary"),
        ("multipart/x-mixed-replace; boundary = \"--x\"", "x"),
        ("multipart/x-mixed-replace", ""),
        ("multipart/x-mixed-replace; boundary=", ""),
    ] {
        assert_eq!(boundary(header), expected, "{header}");
    }
}

#[test]
fn parts_with_and_without_length() {
    let bare = part("Content-Type: image/jpeg\r\n", SMALL);
    let lines = part("content-length : 18\n", SMALL);
    let stream = [b"preamble\r\n", with_length(SMALL).as_slice(), &bare, &lines, b"--b--\r\n"].concat();
    assert_eq!(parts(&stream), [picture(), picture(), picture()]);
    assert_eq!(parts(b""), []);
    assert_eq!(parts(b"--b"), []);
}

#[test]
fn broken_parts_are_told_and_the_next_is_whole() {
    let torn = &SMALL[..12];
    let cut_short = "no end before the next start";
    for (bad, why) in [
        (with_length(torn), "a picture cut short (no end-of-image marker)"),
        (with_length(b"hello"), "5 bytes that are not JPEG"),
        (part("", b"text without a picture"), "22 bytes that are not JPEG"),
        (part("", torn), "a picture cut short (no end-of-image marker)"),
        (torn.to_vec(), cut_short),
    ] {
        let stream = [with_length(SMALL), bad, with_length(SMALL), with_length(SMALL)].concat();
        assert_eq!(parts(&stream), [picture(), broken(why), picture(), picture()], "{why}");
    }
}

#[test]
fn bytes_between_parts_and_the_end_within_one_are_told() {
    let stream = [with_length(SMALL), b"junk".to_vec(), with_length(SMALL)].concat();
    assert_eq!(parts(&stream), [picture(), broken("bytes that are not JPEG"), picture()]);
    for bare in [part("Content-Length: 18\r\n", &SMALL[..9]), part("", &SMALL[..9])] {
        let end = bare.len() - 2;
        assert_eq!(parts(&bare[..end]), [broken("cut short by the end of the input")]);
    }
}

#[test]
fn an_endless_header_is_dropped() {
    let stream = [b"--b\r\n".to_vec(), vec![b'x'; 40_000], b"\r\n".to_vec(), with_length(SMALL)].concat();
    let mut parts = Parts::new(stream.as_slice(), "b");
    let mut next = || parts.next(Duration::MAX).unwrap();
    assert!(matches!(next(), Part::Broken(why) if why.ends_with("bytes that are not JPEG")));
    assert_eq!(next(), picture());
    assert_eq!(next(), Part::End);
}

/// Nothing but this byte, forever.
struct Endless(u8);

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        into.fill(self.0);
        Ok(into.len())
    }
}

#[test]
fn a_call_ends_however_much_pours_in() {
    for byte in [b'x', 0, 0xff, b'\n'] {
        let mut parts = Parts::new(Endless(byte), "b");
        for _ in 0..3 {
            let next = parts.next(Duration::from_millis(20)).unwrap();
            assert!(matches!(next, Part::Nothing | Part::Broken(_)), "{next:?}");
        }
        assert!(parts.held.len() < 1 << 20, "{} bytes are kept", parts.held.len());
    }
}
