//! Sources that are programs, and messages about what they show.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;

use tempfile::tempdir;

use crate::common::film::{Studio, jpeg};
use crate::common::live::{PATIENCE, Running, is, wait_until};

/// Shows a cat for ever; its number is in a file.
const CAMERA: &str = "exec:sh -c 'echo $$ > number; sleep 1000 & while :; do cat cat.jpg; sleep 0.05; done'";

fn folder() -> tempfile::TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("cat.jpg"), jpeg(&Studio::new().picture(Some(60)))).unwrap();
    folder
}

#[test]
fn a_program_is_watched_started_again_and_ended_with_all_that_it_started() {
    let folder = folder();
    let flags = ["--source", CAMERA, "--prompt", "cat, dog", "--threshold", "0.25"];
    let mut running = Running::new(folder.path(), &flags);
    running.until(|line| is(line, "frame") && line["detections"][0]["label"] == "cat");
    let number = || fs::read_to_string(folder.path().join("number")).unwrap().trim().to_owned();
    let first = number();
    assert!(Command::new("sh").args(["-c", "kill -9 $0", &first]).status().unwrap().success());
    running.tells("exec:sh: sh has ended (signal 9); it is started again");
    running.until(|line| is(line, "frame"));
    running.tells("exec:sh: works again");
    wait_until("started again", || number() != first);
    let group = number();
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Nothing of its group is left, not even what it had started beside.
    let alive = |group: &str| {
        fs::read_dir("/proc").unwrap().filter_map(Result::ok).any(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
            fields.get(2) == Some(&group) && fields.first() != Some(&"Z")
        })
    };
    wait_until("ended with its group", || !alive(&group) && !alive(&first));
}

#[test]
fn a_seal_and_a_program_exclude_each_other() {
    let folder = folder();
    let ended = Running::new(folder.path(), &["--source", CAMERA, "--prompt", "cat", "--seal"]).end();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    ended.told(&["seal: found the source exec:sh, a program", "edgeclip run --seal --source -"]);
    assert!(!Path::new(folder.path()).join("number").exists());
}

#[cfg(feature = "notify")]
#[test]
fn what_appears_is_told_with_its_picture_also_under_the_seal() {
    let folder = folder();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (send, heard) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut body) = (String::new(), Vec::new());
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap_or(0) > 0 {}
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
            body.resize(length.parse().unwrap(), 0);
            stream.read_exact(&mut body).unwrap();
            let _ = write!(stream.get_mut(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            if send.send((head, body)).is_err() {
                break;
            }
        }
    });
    let config = format!(
        "prompt = \"cat, dog\"\nthreshold = 0.25\n[track]\nconfirm_hits = 2\n[[source]]\nurl = \"-\"\nname = \"gate\"\n\
         [[notify]]\nby = \"ntfy\"\nurl = \"http://127.0.0.1:{port}/topic\"\nwhen = [\"appear\"]\npictures = true\n"
    );
    fs::write(folder.path().join("x.toml"), config).unwrap();
    let mut running = Running::new(folder.path(), &["--config", "x.toml", "--seal"]);
    let cat = fs::read(folder.path().join("cat.jpg")).unwrap();
    // Each frame is sent once the one before has been looked at.
    running.send(&cat);
    while !running.line().to_string().contains("\"appear\"") {
        running.send(&cat);
    }
    let (head, body) = heard.recv_timeout(PATIENCE).unwrap();
    assert!(
        head.contains("\r\nTitle: gate\r\n") && head.contains("\r\nMessage: cat appears (gate)\r\n"),
        "{head}"
    );
    assert!(body.starts_with(&[0xff, 0xd8]));
    running.no_more();
    assert_eq!(running.end().code, Some(0));
}
