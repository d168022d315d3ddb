//! Motion JPEG over HTTP, from real sockets to pictures.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use http_auth::{PasswordClient, PasswordParams};

use super::network::http::{Camera, STREAM, jpeg, part, write};
use super::network::watch::{PATIENCE, until};
use crate::source::network::Patience;
use crate::source::{CapturedFrame, Encoding, Next, http};

/// The error of a camera that does not open.
fn refusal(url: &str) -> String {
    http::open(url, None, PATIENCE, None).err().expect("an error").to_string()
}

/// The grey of a decoded picture.
fn grey(shot: &mut CapturedFrame) -> u8 {
    assert_eq!(shot.encoding, Encoding::Jpeg);
    let frame = shot.decode("test").unwrap();
    assert_eq!((frame.width, frame.height), (16, 16));
    let first = frame.data[0];
    assert!(frame.data.iter().all(|value| value.abs_diff(first) <= 1));
    first
}

fn has_grey(expected: u8) -> impl FnMut(&mut CapturedFrame) -> bool {
    move |shot| grey(shot).abs_diff(expected) <= 1
}

/// Sends pictures of these greys as parts with a pause after each.
fn send(stream: &mut TcpStream, greys: &[u8]) -> Option<()> {
    for value in greys {
        stream.write_all(&part(&jpeg(*value))).ok()?;
        thread::sleep(Duration::from_millis(10));
    }
    Some(())
}

/// Silence until the client goes.
fn hang(stream: &mut TcpStream) -> Option<()> {
    std::io::copy(stream, &mut std::io::sink()).ok().map(drop)
}

#[test]
fn pictures_of_a_stream_arrive_and_broken_ones_are_told() {
    let camera = Camera::start(|_, _, stream| {
        write(stream, "200 OK", STREAM, b"")?;
        send(stream, &[10, 20, 30])?;
        stream.write_all(&part(&jpeg(40)[..200])).ok()?;
        let bare = [b"--frame\r\nContent-Type: image/jpeg\r\n\r\n".as_slice(), &jpeg(50), b"\r\n"].concat();
        stream.write_all(&bare).ok()?;
        stream.write_all(&part(b"no picture")).ok()?;
        send(stream, &[60])?;
        hang(stream)
    });
    let mut source = http::open(&camera.url("/video.mjpg"), None, PATIENCE, None).unwrap();
    assert_eq!((source.name(), source.waits()), (camera.url("/video.mjpg").as_str(), false));
    let mut seen = Vec::new();
    let faults = until(&mut *source, |shot| {
        seen.push((shot.number, grey(shot)));
        shot.number == 4
    });
    let broken = |why: &str| Next::Broken(why.to_owned());
    let expected = ["a picture cut short (no end-of-image marker)", "10 bytes that are not JPEG"].map(broken);
    assert_eq!(faults, expected);
    for (number, value) in seen {
        assert!(value.abs_diff([10, 20, 30, 50, 60][number as usize]) <= 1, "picture {number}: {value}");
    }
}

#[test]
fn chunked_streams_are_put_together() {
    let camera = Camera::start(|_, _, stream| {
        write(stream, "200 OK", &format!("{STREAM}Transfer-Encoding: chunked\r\n"), b"")?;
        let whole: Vec<u8> = [70, 80].iter().flat_map(|value| part(&jpeg(*value))).collect();
        for piece in whole.chunks(97) {
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            stream.write_all(&chunk).ok()?;
        }
        hang(stream)
    });
    let mut source = http::open(&camera.url("/"), None, PATIENCE, None).unwrap();
    assert_eq!(until(&mut *source, has_grey(80)), []);
}

#[test]
fn a_single_picture_is_fetched_again_and_again() {
    let camera = Camera::start(|number, _, stream| {
        let whole = jpeg(10 * (number as u8 + 1));
        let body = if number == 2 { &whole[..whole.len() / 2] } else { &whole };
        // As many bytes as there are, and once fewer than promised: what is there counts.
        let promised = if number == 3 { body.len() + 9 } else { body.len() };
        write(stream, "200 OK", &format!("Content-Type: image/jpeg\r\nContent-Length: {promised}\r\n"), body)
    });
    let mut source = http::open(&camera.url("/shot.jpg"), Some(50), PATIENCE, None).unwrap();
    let faults = until(&mut *source, |shot| grey(shot) >= 59);
    assert_eq!(faults, [Next::Broken("cut short by the end of the input".to_owned())]);
}

#[test]
fn single_pictures_come_at_the_wished_rate() {
    let camera =
        Camera::start(|_, _, stream| write(stream, "200 OK", "Content-Type: image/jpeg\r\n", &jpeg(9)));
    let start = std::time::Instant::now();
    let mut source = http::open(&camera.url("/"), Some(20), PATIENCE, None).unwrap();
    assert_eq!(until(&mut *source, |shot| shot.number >= 6), []);
    assert!(start.elapsed() >= Duration::from_millis(250), "{:?}", start.elapsed());
}

#[test]
fn a_stream_that_ends_or_falls_silent_is_connected_anew() {
    let camera = Camera::start(|number, _, stream| {
        if number == 1 || number == 2 {
            return write(stream, "503 Service Unavailable", "", b"");
        }
        write(stream, "200 OK", STREAM, b"")?;
        send(stream, &[100 + 10 * number as u8])?;
        if number == 3 { hang(stream) } else { Some(()) }
    });
    let patience = Patience { stall: Duration::from_millis(600), ..PATIENCE };
    let mut source = http::open(&camera.url("/"), None, patience, None).unwrap();
    let faults = until(&mut *source, has_grey(140));
    let stalled = |why: &str| Next::Stalled(why.to_owned());
    let expected = ["the camera has ended the stream", "a refusal (503)", "no bytes for 0.6 s"].map(stalled);
    assert_eq!(faults[..3], expected);
}

#[test]
fn a_trickle_without_a_picture_is_a_stall() {
    let camera = Camera::start(|number, _, stream| {
        write(stream, "200 OK", STREAM, b"")?;
        for _ in 0..if number == 0 { 400 } else { 0 } {
            stream.write_all(&part(b"busy")).ok()?;
            thread::sleep(Duration::from_millis(10));
        }
        send(stream, &[200])?;
        hang(stream)
    });
    let patience = Patience { stall: Duration::from_millis(700), ..PATIENCE };
    let mut source = http::open(&camera.url("/"), None, patience, None).unwrap();
    let faults = until(&mut *source, has_grey(200));
    let why = Next::Stalled("no whole picture for 0.7 s".to_owned());
    assert!(faults.contains(&why), "{faults:?}");
    assert!(faults.contains(&Next::Broken("4 bytes that are not JPEG".to_owned())), "{faults:?}");
}

/// Whether `request` answers `challenge` as the password would; both ends do the same sum.
fn is_allowed(challenge: &str, request: &str) -> bool {
    let mut client = PasswordClient::try_from(challenge).unwrap();
    let uri = request.split(' ').nth(1).unwrap();
    let (username, password, body) = ("ad min", "p@ss", Some(&[] as &[u8]));
    let expected = client.respond(&PasswordParams { username, password, uri, method: "GET", body }).unwrap();
    request.to_lowercase().contains(&format!("authorization: {}\r\n", expected.to_lowercase()))
}

#[test]
fn passwords_are_answered_and_never_shown() {
    for challenge in ["Basic realm=\"cam\"", "Digest realm=\"cam\", nonce=\"b5d2\""] {
        let camera = Camera::start(move |_, request, stream| {
            if !is_allowed(challenge, request) {
                return write(stream, "401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n"), b"");
            }
            write(stream, "200 OK", "Content-Type: image/jpeg\r\n", &jpeg(90))
        });
        let url = camera.url("/shot.jpg?a=b").replace("http://", "http://ad%20min:p%40ss@");
        let mut source = http::open(&url, Some(50), PATIENCE, None).unwrap();
        assert_eq!(source.name(), camera.url("/shot.jpg"));
        assert_eq!(until(&mut *source, |shot| shot.number > 1 && has_grey(90)(shot)), []);
        let line = refusal(&url.replace("p%40ss", "wrong"));
        assert!(line.contains("user or password refused (401)") && !line.contains("wrong"), "{line}");
        assert!(
            refusal(&camera.url("/")).contains("no user and password (401), expected http://user:password@")
        );
        let first = camera.requests.lock().unwrap()[0].to_lowercase();
        assert!(!first.contains("authorization"), "told to whoever asks not: {first}");
    }
}

#[test]
fn redirects_are_followed_and_take_no_password_elsewhere() {
    let other =
        Camera::start(|_, _, stream| write(stream, "200 OK", "Content-Type: image/jpeg\r\n", &jpeg(77)));
    let target = other.url("/there");
    let camera = Camera::start(move |_, request, stream| {
        let to = if request.starts_with("GET /a ") { "b?c=d" } else { target.as_str() };
        let to = match request.split(' ').nth(1).unwrap() {
            "/round" => "/round",
            "/tls" => "https://user:secret@camera.invalid/",
            _ => to,
        };
        write(stream, "302 Found", &format!("Location: {to}\r\n"), b"")
    });
    let mut source =
        http::open(&camera.url("/a").replace("http://", "http://u:secret@"), None, PATIENCE, None).unwrap();
    assert_eq!(until(&mut *source, has_grey(77)), []);
    assert!(camera.requests.lock().unwrap()[1].starts_with("GET /b?c=d "));
    assert!(!other.requests.lock().unwrap()[0].to_lowercase().contains("authorization"));
    assert!(refusal(&camera.url("/round")).contains("more than 5 redirects"));
    // A name that nobody has.
    let line = refusal(&camera.url("/tls"));
    assert!(line.contains("usually 443") && !line.contains("secret"), "{line}");
}

#[test]
fn a_first_opening_that_fails_says_what_to_do() {
    let camera = Camera::start(|_, request, stream| match request.split(' ').nth(1).unwrap() {
        "/page" => write(stream, "200 OK", "Content-Type: text/html\r\n", b"<html>"),
        "/bare" => write(stream, "200 OK", "Content-Type: multipart/x-mixed-replace\r\n", b""),
        "/none" => write(stream, "404 Not Found", "", b""),
        "/noise" => stream.write_all(b"\x00\x01garbage\r\n\r\n").ok(),
        _ => hang(stream),
    });
    for (path, part) in [
        ("/page", "content of type text/html, expected multipart/x-mixed-replace"),
        ("/bare", "content of type multipart/x-mixed-replace, expected"),
        ("/none", "nothing at this path (404), expected the path of"),
        ("/noise", "right (usually 80)"),
    ] {
        let line = refusal(&camera.url(path));
        assert!(line.starts_with(&camera.url(path)) && line.contains(part), "{line}");
    }
    let patience = Patience { connect: Duration::from_millis(200), ..PATIENCE };
    let error = http::open(&camera.url("/silent"), None, patience, None).err().unwrap().to_string();
    assert!(error.contains("no answer within 0.2 s"), "{error}");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let line = refusal(&format!("http://u:secret@127.0.0.1:{port}/"));
    assert!(line.contains("Connection refused") && !line.contains("secret"), "{line}");
}
