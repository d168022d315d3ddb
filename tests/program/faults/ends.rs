//! How it ends, and what the service manager hears of it.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use tempfile::tempdir;

use super::camera::Camera;
use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{PATIENCE, Running, is};

const CAT: [&str; 4] = ["--prompt", "cat, dog", "--threshold", "0.25"];

#[test]
fn a_signal_ends_it_within_a_frame_and_each_line_is_whole() {
    let folder = tempdir().unwrap();
    film(folder.path(), "walk.y4m", &Studio::new().walk(8), 8);
    let mut running =
        Running::new(folder.path(), &[&["--source", "walk.y4m", "--repeat"], &CAT[..]].concat());
    running.until(|line| line["frame"] == 20);
    let since = Instant::now();
    running.signal("TERM");
    running.wait();
    assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
    let ended = running.end();
    assert_eq!((ended.code, ended.errors.len()), (Some(0), 0), "{ended:?}");
    let frames = ended.lines.iter().filter_map(|line| line["frame"].as_u64().filter(|_| is(line, "frame")));
    assert!(frames.zip(21..).all(|(frame, expected)| frame == expected), "{:?}", ended.lines);
}

#[test]
fn it_ends_quietly_when_nobody_reads_any_more() {
    let folder = tempdir().unwrap();
    film(folder.path(), "walk.y4m", &Studio::new().walk(8), 8);
    for format in ["jsonl", "none"] {
        let source = ["--source", "walk.y4m", "--repeat", "--format", format, "--status", "0.1"];
        let mut running = Running::new(folder.path(), &[&source, &CAT[..]].concat());
        running.line();
        running.deafen();
        let ended = running.end();
        assert_eq!((ended.code, ended.errors.len()), (Some(0), 0), "{ended:?}");
    }
}

#[test]
fn systemd_hears_that_it_works_whether_frames_come_or_not() {
    let folder = tempdir().unwrap();
    let systemd = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    let hear = || {
        let mut message = [0; 64];
        let length = systemd.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let url = camera.url();
    let mut running =
        Running::new(folder.path(), &[&["--source", &url, "--status", "0.1"], &CAT[..]].concat());
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(hear(), "READY=1");
    assert!(!running.until(|line| is(line, "frame")).is_empty());
    drop(camera);
    running.tells("1 stall so far");
    systemd.set_nonblocking(true).unwrap();
    let mut message = [0; 64];
    while systemd.recv(&mut message).is_ok() {}
    systemd.set_nonblocking(false).unwrap();
    let since = Instant::now();
    assert_eq!([hear(), hear(), hear()], ["WATCHDOG=1"; 3], "no frame comes");
    assert!(since.elapsed() > Duration::from_secs(1), "not with each turn: {:?}", since.elapsed());
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
    let last = std::iter::from_fn(|| Some(hear())).find(|message| message != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1"));
}

#[test]
fn systemd_hears_that_it_is_ready_before_the_first_frame() {
    let folder = tempdir().unwrap();
    let systemd = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    systemd.set_read_timeout(Some(PATIENCE)).unwrap();
    let camera = Camera::new(b"\xff\xd8 no picture \xff\xd9");
    let url = camera.url();
    let mut running =
        Running::new(folder.path(), &[&["--source", &url, "--status", "0.1"], &CAT[..]].concat());
    running.until(|line| is(line, "status") && line["broken"].as_u64() > Some(3));
    let mut message = [0; 64];
    let mut hear = || {
        let length = systemd.recv(&mut message).unwrap();
        String::from_utf8_lossy(&message[..length]).into_owned()
    };
    assert_eq!([hear(), hear(), hear()], ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}
