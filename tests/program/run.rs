//! `edgeclip run` on standard input: lines, faults, signals. Cameras are tested in cross/vm/, on an emulated board.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::tempdir;

use crate::common::{edgeclip, picture};

/// A running `edgeclip run --source -`, which ends with this value.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn new(folder: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_edgeclip"))
            .args(["run", "--source", "-", "--prompt", "person, dog"])
            .args(more)
            .env("NOTIFY_SOCKET", folder.join("notify"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    /// Sends bytes on its standard input.
    fn send(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// The next line of its standard output.
    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Exit code, what is left of standard output, and standard error.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// A JPEG of so many pixels.
fn jpeg(folder: &Path, width: u32, height: u32) -> Vec<u8> {
    fs::read(picture(&folder.join(format!("{width}.jpg")), width, height)).unwrap()
}

#[test]
fn each_frame_is_a_line_and_broken_ones_are_counted() {
    let folder = tempdir().unwrap();
    let (first, second) = (jpeg(folder.path(), 64, 48), jpeg(folder.path(), 90, 60));
    let mut running = Running::new(folder.path(), &["--threshold", "0"]);
    running.send(&first);
    let line = running.line();
    assert_eq!((&line["source"], &line["frame"]), (&"-".into(), &0.into()), "{line}");
    assert_eq!((&line["width"], &line["height"]), (&64.into(), &48.into()), "{line}");
    assert!(line["time"].as_f64().unwrap() > 1.7e9, "{line}");
    assert_eq!(line["tags"].as_array().unwrap().len(), 2, "{line}");
    assert!(line["timing_ms"]["vision"].as_f64().unwrap() > 0.0, "{line}");

    // Cut in the middle, then one with a size of zero columns, then a good one.
    running.send(&first[..first.len() / 2]);
    let mut flat = first.clone();
    let size = flat.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 5;
    flat[size + 2..size + 4].fill(0);
    running.send(&flat);
    running.send(&second);
    assert_eq!(running.line()["width"], 90);
    drop(running.stdin.take());
    let (code, stdout, stderr) = running.end();
    assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
    assert!(stderr.contains("no end before the next start"), "{stderr}");
    assert!(stderr.contains(" frames, 2 looked at, "), "{stderr}");
}

#[test]
fn enough_frames_end_it() {
    let folder = tempdir().unwrap();
    let mut running = Running::new(folder.path(), &["--frames", "1"]);
    running.send(&jpeg(folder.path(), 64, 48));
    assert_eq!(running.line()["width"], 64);
    assert_eq!(running.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn a_signal_ends_it_cleanly_and_systemd_is_told() {
    for signal in ["TERM", "INT"] {
        let folder = tempdir().unwrap();
        let systemd = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        let mut running = Running::new(folder.path(), &[]);
        for _ in 0..2 {
            running.send(&jpeg(folder.path(), 64, 48));
            running.line();
        }
        let pid = running.child.id().to_string();
        assert!(Command::new("sh").args(["-c", "kill -$0 $1", signal, &pid]).status().unwrap().success());
        assert_eq!(running.end(), (Some(0), String::new(), String::new()), "SIG{signal}");
        let mut heard = Vec::new();
        while heard.last().is_none_or(|last| last != "STOPPING=1") {
            let mut message = [0; 64];
            let length = systemd.recv(&mut message).unwrap();
            heard.push(String::from_utf8_lossy(&message[..length]).into_owned());
        }
        // Told once a second.
        heard.dedup();
        assert_eq!(heard, ["READY=1", "WATCHDOG=1", "STOPPING=1"]);
    }
}

#[test]
fn what_is_no_source_is_refused() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("photo.jpg"), "").unwrap();
    let refused = |arguments: &[&str], parts: &[&str]| {
        edgeclip(folder.path(), &[&["run"], arguments].concat()).refuses(parts);
    };
    let prompt = ["--prompt", "person"];
    let source = |name| [["--source", name], prompt].concat();
    refused(&source("/dev/video77"), &["/dev/video77: found no such device", "edgeclip run --list"]);
    refused(&source("v4l2:///dev/video77"), &["/dev/video77: found no such device"]);
    refused(&source("photo.jpg"), &["photo.jpg: found an empty file"]);
    refused(&source("/dev/null"), &["/dev/null: found a device that is not a camera"]);
    refused(&source("gopher://x"), &["gopher://x: found gopher://", "/dev/video0", "rtsp://"]);
    refused(&prompt, &["--source"]);
    refused(&["--source", "-"], &["nothing to look for"]);
    refused(&[&source("-")[..], &["--camera-fps", "5"]].concat(), &["option camera_fps", "standard input"]);
    refused(&[&source("/dev/video0")[..], &["--pixel-format", "H264"]].concat(), &["H264", "MJPG"]);
    refused(&[&source("/dev/video0")[..], &["--size", "640"]].concat(), &["640", "640x480"]);
    refused(&[&source("/dev/video0")[..], &["--camera-fps", "0"]].concat(), &["--camera-fps"]);
    refused(&[&source("-")[..], &["--fps", "0"]].concat(), &["fps", "0.01 to 1000"]);
}
