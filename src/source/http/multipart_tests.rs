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
        while let Some(part) = parts.next().unwrap() {
            all.push(part);
        }
        all
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
        ("multipart/x-mixed-replace;boundary=frame", Some("frame")),
        ("multipart/x-mixed-replace; charset=utf-8; Boundary=\"my frame\"", Some("my frame")),
        ("multipart/x-mixed-replace; boundary=--myboundary", Some("myboundary")),
        ("multipart/x-mixed-replace", None),
        ("multipart/x-mixed-replace; boundary=", None),
    ] {
        assert_eq!(boundary(header).as_deref(), expected, "{header}");
    }
}

#[test]
fn parts_with_and_without_length_up_to_the_last() {
    let bare = part("Content-Type: image/jpeg\r\n", SMALL);
    let lines = part("content-length : 18\n", SMALL);
    let stream =
        [b"preamble\r\n", with_length(SMALL).as_slice(), &bare, &lines, b"--b--\r\n", &bare].concat();
    assert_eq!(parts(&stream), [picture(), picture(), picture()]);
    assert_eq!(parts(b""), []);
    assert_eq!(parts(b"--b"), []);
}

#[test]
fn broken_parts_are_told_and_the_next_is_whole() {
    let torn = &SMALL[..12];
    let cut_short = "a picture cut short (no end-of-image marker)";
    for (bad, why) in [
        (with_length(torn), cut_short),
        (with_length(b"hello"), "5 bytes that are not JPEG"),
        (with_length(&[b"xx", SMALL].concat()), "20 bytes that are not JPEG"),
        (part("Content-Length: 12\r\n", SMALL), cut_short),
        (part("Content-Length: -5\r\n", SMALL), "a length of \"-5\""),
        (part("Content-Length: 99999999999\r\n", SMALL), "a picture of more than 67108864 bytes"),
        (part("", b"text without a picture"), "bytes that are not JPEG"),
        (part("", torn), "no end before the next start"),
    ] {
        let stream = [with_length(SMALL), bad, with_length(SMALL), with_length(SMALL)].concat();
        assert_eq!(parts(&stream), [picture(), broken(why), picture(), picture()], "{why}");
    }
}

#[test]
fn bytes_between_parts_and_the_end_within_one_are_told() {
    let stream = [with_length(SMALL), b"junk".to_vec(), with_length(SMALL)].concat();
    assert_eq!(parts(&stream), [picture(), broken("4 bytes between pictures"), picture()]);
    for bare in [part("Content-Length: 18\r\n", &SMALL[..9]), part("", &SMALL[..9])] {
        let end = bare.len() - 2;
        assert_eq!(parts(&bare[..end]), [broken("a picture cut short by the end of the stream")]);
    }
}

#[test]
fn an_endless_header_is_dropped() {
    let stream =
        [b"--b\r\n".to_vec(), vec![b'x'; 2 * LONGEST_HEADER], b"\r\n".to_vec(), with_length(SMALL)].concat();
    let mut parts = Parts::new(stream.as_slice(), "b");
    assert_eq!(parts.next().unwrap(), Some(broken("a header of more than 16384 bytes")));
    assert_eq!(parts.next().unwrap(), Some(picture()));
    assert_eq!(parts.next().unwrap(), None);
}
