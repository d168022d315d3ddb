//! A running `edgeclip run`, whose lines are read as they come.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longest wait for anything; long, since machines that test are loaded.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program; it ends with this value.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Standard output, while nobody reads it.
    unread: Option<ChildStdout>,
    lines: Receiver<String>,
    told: Receiver<String>,
    /// What it has told on standard error so far.
    pub errors: Vec<String>,
}

/// What a program that has ended left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub code: Option<i32>,
    /// Lines of standard output that nobody had read.
    pub lines: Vec<Value>,
    /// All lines of standard error.
    pub errors: Vec<String>,
}

impl Ended {
    /// Asserts that a line of standard error has all of `parts`.
    pub(crate) fn told(&self, parts: &[&str]) {
        let found = self.errors.iter().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found, "no line with {parts:?} in {:#?}", self.errors);
    }
}

impl Running {
    /// Starts `edgeclip run` with these flags in `folder`, whose socket `notify` hears what is for systemd.
    pub(crate) fn new(folder: &Path, flags: &[&str]) -> Self {
        let mut running = Self::unread(folder, flags);
        running.read();
        running
    }

    /// The same, but nobody reads its standard output yet.
    pub(crate) fn unread(folder: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
        command.arg("run").args(flags).current_dir(folder).env("NOTIFY_SOCKET", folder.join("notify"));
        Self::command(command)
    }

    /// Any command that starts it.
    pub(crate) fn command(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, unread) = (child.stdin.take(), child.stdout.take());
        let (told, lines) = (reader::<ChildStderr>(child.stderr.take().unwrap()), channel().1);
        Self { child, stdin, unread, lines, told, errors: Vec::new() }
    }

    /// Begins to read standard output.
    pub(crate) fn read(&mut self) {
        self.lines = reader(self.unread.take().unwrap());
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends bytes on its standard input.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Closes its standard input.
    pub(crate) fn no_more(&mut self) {
        self.stdin = None;
    }

    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> Value {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => parse(&line),
            Err(error) => panic!("{error}; {:#?}", self.errors()),
        }
    }

    /// The lines up to the first that `wanted` likes, which is the last of them.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let (mut lines, start) = (Vec::new(), Instant::now());
        loop {
            lines.push(self.line());
            if wanted(&lines[lines.len() - 1]) {
                return lines;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "no such line before {}; {:#?}",
                lines[lines.len() - 1],
                self.errors()
            );
        }
    }

    /// Waits for a line of standard error with this part.
    pub(crate) fn tells(&mut self, part: &str) {
        while !self.errors.iter().any(|line| line.contains(part)) {
            let line = self.told.recv_timeout(PATIENCE);
            self.errors
                .push(line.unwrap_or_else(|error| panic!("{error}: no {part:?} in {:#?}", self.errors)));
        }
    }

    /// Skips what it has written so far; how many lines that was.
    pub(crate) fn lines_so_far(&mut self) -> usize {
        self.lines.try_iter().count()
    }

    /// How many lines it has told so far.
    pub(crate) fn told_so_far(&mut self) -> usize {
        self.errors().len()
    }

    /// Waits for a line of standard error with all of `parts` behind the first `before` ones.
    pub(crate) fn tells_after(&mut self, before: usize, parts: &[&str]) {
        let fits = |line: &String| parts.iter().all(|part| line.contains(part));
        let start = Instant::now();
        while !self.errors.iter().skip(before).any(fits) {
            assert!(start.elapsed() < PATIENCE, "no {parts:?} in {:#?}", self.errors);
            let line = self.told.recv_timeout(PATIENCE);
            self.errors
                .push(line.unwrap_or_else(|error| panic!("{error}: no {parts:?} in {:#?}", self.errors)));
        }
    }

    /// All that it has told so far.
    pub(crate) fn errors(&mut self) -> &[String] {
        self.errors.extend(self.told.try_iter());
        &self.errors
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("sh").args(["-c", "kill -$0 $1", signal, &pid]).status().unwrap().success());
    }

    /// Closes what is read of standard output.
    pub(crate) fn deafen(&mut self) {
        drop((self.unread.take(), std::mem::replace(&mut self.lines, channel().1)));
    }

    /// Waits until it ends.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "it goes on: {:#?}", self.errors());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it ends, and what is left then.
    pub(crate) fn end(mut self) -> Ended {
        let code = self.wait().code();
        let unread = self.unread.take().map(reader);
        let lines = unread.as_ref().unwrap_or(&self.lines).iter().map(|line| parse(&line)).collect();
        self.errors.extend(self.told.iter());
        Ended { code, lines, errors: std::mem::take(&mut self.errors) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines in a thread; it ends with its source, or when nobody takes them.
fn reader<R: Read + Send + 'static>(source: R) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let lines = BufReader::new(source).lines().map_while(Result::ok);
        lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
    });
    receiver
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Whether a line is of this type.
pub(crate) fn is(line: &Value, kind: &str) -> bool {
    line["type"] == kind
}

/// The events of one kind, each by its track.
pub(crate) fn tracks(lines: &[Value], event: &str) -> Vec<u64> {
    lines.iter().filter(|line| line["event"] == event).map(|line| line["track"].as_u64().unwrap()).collect()
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "never {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
