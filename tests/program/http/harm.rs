//! What is sent to do harm, or by mistake: others are answered all the same, and nothing grows.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::tempdir;

use super::client::{Board, read};
use crate::common::live::PATIENCE;

/// More memory than this is not taken by anything below.
const ROOM: u64 = 20_000_000;

/// Sends bytes, and gives the status of what comes back; none if the connection is ended without a word.
fn thrown(board: &Board, bytes: &[u8]) -> Option<u16> {
    let mut stream = board.connect();
    // The other side may have ended it already.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    text.split(' ').nth(1).and_then(|status| status.parse().ok())
}

/// A generator of numbers that are good enough.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

#[test]
fn malformed_requests_are_refused_and_do_no_harm() {
    let folder = tempdir().unwrap();
    let board = Board::start(folder.path(), "pictures = true\n", &[]);
    board.ready();
    let before = board.memory();
    let host = format!("Host: 127.0.0.1:{}\r\n", board.port);
    let good = [
        format!("GET /api/v1/status HTTP/1.1\r\n{host}\r\n"),
        format!(
            "PUT /api/v1/prompts HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 19\r\n\r\n{{\"prompts\":[\"cat\"]}}"
        ),
        format!(
            "PUT /api/v1/cameras/yard/places HTTP/1.1\r\n{host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{{\"zones\":[]}}\r\n0\r\n\r\n"
        ),
        format!(
            "GET /api/v1/events?limit=5&kind=appear HTTP/1.1\r\n{host}Origin: http://127.0.0.1:{}\r\n\r\n",
            board.port
        ),
    ];
    for request in &good {
        assert_eq!(thrown(&board, request.as_bytes()), Some(200), "{request}");
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..300 {
        let mut bytes = good[dice.roll(good.len())].clone().into_bytes();
        for _ in 0..=dice.roll(4) {
            let at = dice.roll(bytes.len());
            match dice.roll(4) {
                0 => bytes[at] = dice.roll(256) as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\r\n:/ \0%{\xff"[dice.roll(9)]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let status = thrown(&board, &bytes);
        assert!(
            status.is_none_or(|status| (200..=503).contains(&status) && status != 500),
            "{status:?}: {bytes:?}"
        );
    }
    for (request, expected) in [
        ("\u{16}\u{3}\u{1}\u{2}".to_owned(), Some(400)),
        (format!("GET / HTTP/1.1\r\n{host}X: {}\r\n\r\n", "x".repeat(20_000)), Some(431)),
        (format!("GET / HTTP/1.1\r\n{host}{}\r\n", "a: b\r\n".repeat(100)), Some(431)),
        (format!("GET /api/v1/../../etc/passwd HTTP/1.1\r\n{host}\r\n"), Some(404)),
        (format!("PATCH / HTTP/1.1\r\n{host}\r\n"), Some(501)),
        (format!("PUT /api/v1/status HTTP/1.1\r\n{host}\r\n"), Some(405)),
        (format!("PUT /api/v1/prompts HTTP/1.1\r\n{host}Content-Length: 2\r\n\r\n{{}}"), Some(415)),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".to_owned(), Some(421)),
        (
            format!(
                "PUT /api/v1/prompts HTTP/1.1\r\n{host}Origin: http://evil.example\r\nContent-Length: 0\r\n\r\n"
            ),
            Some(403),
        ),
        (format!("GET /api/v1/status HTTP/1.1\r\n{host}Sec-Fetch-Site: cross-site\r\n\r\n"), Some(403)),
    ] {
        assert_eq!(thrown(&board, request.as_bytes()), expected, "{request}");
    }
    // Deep nests do not reach the bottom of the stack.
    let deep = "[".repeat(60_000);
    assert_eq!(board.put("/api/v1/prompts", &deep).status, 400);
    board.ready();
    let grown = board.memory().saturating_sub(before);
    assert!(grown < ROOM, "{grown} bytes");
}

#[test]
fn bodies_without_end_and_readers_that_dawdle_are_cut_off() {
    let folder = tempdir().unwrap();
    let board = Board::start(folder.path(), "pictures = true\n", &[]);
    board.ready();
    let before = board.memory();
    let json = "Content-Type: application/json\r\n";
    // A gigabyte is refused before it is sent, in chunks as soon as it is too long.
    let mut stream =
        board.send("PUT", "/api/v1/prompts", &format!("{json}Content-Length: 1000000000\r\n"), b"");
    assert_eq!(read(&mut stream).status, 413);
    let mut stream =
        board.send("PUT", "/api/v1/prompts", &format!("{json}Transfer-Encoding: chunked\r\n"), b"");
    let chunk = [b"4000\r\n".to_vec(), vec![b' '; 0x4000], b"\r\n".to_vec()].concat();
    let start = Instant::now();
    while stream.write_all(&chunk).is_ok() {
        assert!(start.elapsed() < PATIENCE);
    }
    // Whoever asks first whether to send it is told.
    let mut stream = board.send(
        "PUT",
        "/api/v1/prompts",
        &format!("{json}Expect: 100-continue\r\nContent-Length: 19\r\n"),
        b"",
    );
    let mut line = [0; 25];
    stream.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(br#"{"prompts":["cat"]}"#).unwrap();
    assert_eq!(read(&mut stream).status, 200);

    // Hundreds that connect and say nothing, or a letter now and then, keep nobody else out.
    let mut idle: Vec<TcpStream> = (0..400).map(|_| board.connect()).collect();
    for (count, stream) in idle.iter_mut().enumerate() {
        let _ = stream.write_all(if count % 2 == 0 { b"GET /api" } else { b"" });
    }
    board.ready();
    assert_eq!(board.get("/api/v1/status").status, 200);
    let grown = board.memory().saturating_sub(before);
    assert!(grown < ROOM, "{grown} bytes");
    let ended = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rest = Vec::new();
        !matches!(stream.read_to_end(&mut rest), Err(error) if error.kind() == ErrorKind::WouldBlock)
    };
    // One of them that is heard, begins, and does not go on.
    let mut slow = board.connect();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHo").unwrap();
    assert!(ended(&mut slow), "a request without end is waited for");
}

#[test]
fn a_slow_reader_of_a_stream_slows_nobody() {
    let folder = tempdir().unwrap();
    let board = Board::start(folder.path(), "pictures = true\nstream_fps = 60\n", &[]);
    board.ready();
    // They ask, and read nothing.
    let stalled: Vec<TcpStream> =
        (0..20).map(|_| board.send("GET", "/api/v1/cameras/yard/stream.mjpeg", "", b"")).collect();
    let looked = || {
        let text = board.get("/metrics").text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("edgeclip_latency_seconds_count{source=\"yard\"} "));
        line.map_or(0, |count| count.parse::<u64>().unwrap())
    };
    let (first, start) = (looked(), Instant::now());
    while looked() < first + 16 {
        assert!(start.elapsed() < PATIENCE, "frames are not looked at any more");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(board.get("/api/v1/cameras/yard/frame.jpg").status, 200);
    // As many readers as may be, and no more.
    let more: Vec<TcpStream> = (0..12).map(|_| board.send("GET", "/api/v1/live", "", b"")).collect();
    let refused = board.until("/api/v1/live?types=none", |answer| answer.status != 200);
    assert!(matches!(refused.status, 400 | 503), "{refused:?}");
    drop((stalled, more));
    let status = board.json("/api/v1/status");
    let sink = status["cameras"][0]["status"]["sinks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|sink| sink["name"] == "http");
    assert!(sink.is_some_and(|sink| sink["failed"] == 0), "{status}");
}
