//! A client over plain sockets, and the program that it asks.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::film::{Studio, film};
use crate::common::live::{PATIENCE, Running};

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A running program that is asked.
pub(super) struct Board {
    pub running: Running,
    asker: Asker,
}

/// Who asks.
pub(super) struct Asker {
    pub port: u16,
    /// Lines of every request, such as a token.
    pub lines: String,
}

impl Board {
    /// Watches a cat that stays, seen over and over at a camera's pace, with these lines in the section `[http]`, and
    /// these flags.
    pub(super) fn start(folder: &Path, http: &str, flags: &[&str]) -> Self {
        film(folder, "film.y4m", &vec![Studio::new().picture(Some(60)); 8], 8);
        let text = format!(
            "prompt = 'cat'\nfps = 8\nhistory = 'history'\n[[source]]\nurl = 'film.y4m'\nname = 'yard'\nrepeat = true\n\
             real_time = true\n[[zone]]\nname = 'mat'\nbox = [0, 0, 1, 1]\n\
             [http]\nlisten = '127.0.0.1:0'\n{http}"
        );
        fs::write(folder.join("run.toml"), text).unwrap();
        let mut running = Running::new(folder, &[&["--config", "run.toml"], flags].concat());
        running.tells("serving at ");
        let address = running.errors.iter().find_map(|line| line.split_once("127.0.0.1:")).unwrap().1;
        let port = address.trim_end_matches('/').parse().unwrap();
        Self { running, asker: Asker { port, lines: String::new() } }
    }

    /// Memory of the program in bytes.
    pub(super) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.running.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }
}

impl Deref for Board {
    type Target = Asker;

    fn deref(&self) -> &Asker {
        &self.asker
    }
}

impl DerefMut for Board {
    fn deref_mut(&mut self) -> &mut Asker {
        &mut self.asker
    }
}

impl Asker {
    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends a request, on a connection of its own.
    pub(super) fn send(&self, method: &str, path: &str, lines: &str, body: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        let length =
            if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{length}{}{lines}\r\n",
            self.port, self.lines
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        stream
    }

    pub(super) fn ask(&self, method: &str, path: &str, lines: &str, body: &[u8]) -> Answer {
        let mut stream = self.send(method, path, lines, body);
        if method != "HEAD" {
            return read(&mut stream);
        }
        let mut head = Vec::new();
        stream.read_to_end(&mut head).unwrap();
        let head = String::from_utf8(head).unwrap();
        assert!(head.ends_with("\r\n\r\n"), "no body follows: {head}");
        Answer { status: head.split(' ').nth(1).unwrap().parse().unwrap(), head, body: Vec::new() }
    }

    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"")
    }

    pub(super) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    pub(super) fn put(&self, path: &str, body: &str) -> Answer {
        self.ask("PUT", path, "Content-Type: application/json\r\n", body.as_bytes())
    }

    /// Asks until the answer is liked.
    pub(super) fn until(&self, path: &str, like: impl Fn(&Answer) -> bool) -> Answer {
        let start = Instant::now();
        loop {
            let answer = self.get(path);
            if like(&answer) {
                return answer;
            }
            assert!(start.elapsed() < PATIENCE, "{path}: {answer:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until frames are looked at.
    pub(super) fn ready(&self) {
        self.until("/readyz", |answer| answer.status == 200);
    }
}

/// Reads an answer until its end, or that of the connection.
pub(super) fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        if let Some(answer) = parsed(&bytes) {
            return answer;
        }
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => bytes.extend(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&bytes)),
        }
    }
    parsed(&bytes).unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)))
}

fn parsed(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut answer = Answer { status, head, body: Vec::new() };
    if status == 100 {
        return parsed(&bytes[end..]);
    }
    let length = answer.header("Content-Length").map_or(0, |text| text.parse().unwrap());
    answer.body = bytes.get(end..end + length)?.to_vec();
    Some(answer)
}

/// The messages of a stream of Server-Sent Events: kind, id, data.
pub(super) struct Messages {
    stream: TcpStream,
    buffer: String,
}

impl Messages {
    pub(super) fn open(board: &Board, path: &str, lines: &str) -> Self {
        let stream = board.send("GET", path, lines, b"");
        Self { stream, buffer: String::new() }
    }

    /// The next message of this kind.
    pub(super) fn next(&mut self, kind: &str) -> (String, Value) {
        loop {
            while let Some((message, rest)) = self.buffer.split_once("\n\n") {
                let field = |name: &str| {
                    let line = message.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.unwrap_or_default().to_owned()
                };
                let (found, id, data) = (field("event"), field("id"), field("data"));
                self.buffer = rest.to_owned();
                if found == kind {
                    return (id, serde_json::from_str(&data).unwrap());
                }
            }
            let mut piece = [0; 16 * 1024];
            let length = self.stream.read(&mut piece).unwrap();
            assert!(length > 0, "the end: {}", self.buffer);
            self.buffer.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
    }
}
