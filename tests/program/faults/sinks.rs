//! Sinks that are full, slow or stuck.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;

use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{Running, is, tracks, wait_until};

/// Frames of about ten kilobytes each on standard output, which fill a pipe soon.
const LONG_LINES: [&str; 4] =
    ["--prompt", "cat, dog, bird, horse, sheep, cow, lamp, sofa", "--threshold", "0"];

/// What the program's last status says of a sink.
fn sink<'a>(status: &'a Value, name: &str) -> &'a Value {
    let sinks = status["sinks"].as_array().unwrap();
    sinks.iter().find(|sink| sink["name"] == name).unwrap_or_else(|| panic!("no {name} in {status}"))
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, |files| files.filter(|file| file.is_ok()).count())
}

/// A film of a cat that comes and goes, `visits` times.
fn visits(folder: &Path, visits: usize) {
    let studio = Studio::new();
    let visit = [vec![studio.picture(Some(60)); 8], vec![studio.picture(None); 8]].concat();
    film(folder, "visits.y4m", &vec![visit; visits].concat(), 8);
}

#[test]
fn on_a_full_disk_files_are_left_out_and_lines_go_on() {
    let folder = tempdir().unwrap();
    visits(folder.path(), 3);
    fs::create_dir(folder.path().join("disk")).unwrap();
    // In a mount namespace of its own, even users without rights may mount.
    let shell = |script: &str| {
        let mut command = Command::new("unshare");
        let script = format!("mount -t tmpfs -o size=64k tmpfs disk && {script}");
        command
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
            .current_dir(folder.path());
        command
    };
    if !shell("true").output().is_ok_and(|probe| probe.status.success()) {
        return eprintln!("NOT CHECKED: no file system can be mounted here");
    }
    let mut command = shell("\"$0\" \"$@\"; code=$?; cp -r disk left; exit $code");
    command.args([env!("CARGO_BIN_EXE_edgeclip"), "run", "--source", "visits.y4m", "--status", "0.1"]);
    command.args(["--prompt", "cat", "--threshold", "0.25", "--set", "track.lost_seconds=0.3"]);
    command.args(["--annotate", "disk/frames", "--snapshot", "disk/events", "--csv", "disk/all.csv"]);
    let ended = Running::command(command).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.lines.iter().filter(|line| is(line, "frame")).count(), 48);
    assert_eq!(tracks(&ended.lines, "appear"), [1, 2, 3]);
    // What others have written cannot make room; our own frames and snapshots do.
    assert!(!ended.errors.iter().any(|line| line.contains("disk/frames: No space")), "{ended:?}");
    let status = ended.lines.iter().rfind(|line| is(line, "status")).unwrap();
    assert_eq!(sink(status, "disk/frames")["failed"], 0, "{status}");
    assert!(fs::metadata(folder.path().join("left/frames/frame-00000048.jpg")).is_ok());
    // What is there is whole.
    let left = folder.path().join("left");
    for file in fs::read_dir(left.join("frames")).unwrap().chain(fs::read_dir(left.join("events")).unwrap()) {
        let path = file.unwrap().path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jpg") => drop(image::open(&path).unwrap_or_else(|error| panic!("{error}: {path:?}"))),
            _ => drop(serde_json::from_slice::<Value>(&fs::read(&path).unwrap()).unwrap()),
        }
    }
    let rows = fs::read_to_string(left.join("all.csv")).unwrap();
    assert!(rows.lines().all(|row| row.split(',').count() == 17) && rows.ends_with('\n'), "{rows}");
}

#[test]
fn a_disk_that_is_read_only_for_a_while_is_told_and_that_it_works_again() {
    let folder = tempdir().unwrap();
    visits(folder.path(), 3);
    fs::create_dir(folder.path().join("disk")).unwrap();
    let script =
        |run: &str| format!("mount -t tmpfs -o size=1m tmpfs disk && mount -o remount,ro disk && {run}");
    let shell = |script: &str| {
        let mut command = Command::new("timeout");
        command.args(["60", "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command.current_dir(folder.path());
        command
    };
    if !shell(&script("true")).output().is_ok_and(|probe| probe.status.success()) {
        return eprintln!("NOT CHECKED: no file system can be mounted here");
    }
    // While a file is open for writing, the disk is busy.
    let faults = r#"
        mount -o remount,rw disk
        "$0" "$@" 2>log & program=$!
        await() { until eval "$1"; do sleep 0.05; done; }
        await '[ -e disk/ann/frame-00000003.jpg ]'
        await 'mount -o remount,ro disk 2>/dev/null'
        await 'grep -q "warning: disk/ann: Read-only file system" log'
        mount -o remount,rw disk
        await 'grep -q "disk/ann: works again after" log'
        rm -rf disk/ann
        await '[ "$(ls disk/ann 2>/dev/null | wc -l)" -gt 2 ]'
        kill $program
        wait $program"#;
    let mut command = shell(&script(faults));
    command.args([
        env!("CARGO_BIN_EXE_edgeclip"),
        "run",
        "--source",
        "visits.y4m",
        "--repeat",
        "--real-time",
    ]);
    command.args(["--prompt", "cat", "--format", "none", "--annotate", "disk/ann"]);
    let ended = command.output().unwrap();
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(ended.status.success(), "{ended:?} {log}");
    for told in [
        "disk/ann: Read-only file system (os error 30) (1 so far)",
        "disk/ann: works again after ",
        "disk/ann: the folder was gone; it has been made anew",
    ] {
        assert!(log.contains(told), "no {told:?} in {log}");
    }
}

#[test]
fn a_pipe_whose_reader_does_not_read_delays_nothing_and_not_the_end() {
    let folder = tempdir().unwrap();
    let fifo = folder.path().join("film");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let _reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&fifo).unwrap();
    let studio = Studio::new();
    let (cat, nobody) = (jpeg(&studio.picture(Some(60))), jpeg(&studio.picture(None)));
    let flags =
        ["--source", "-", "--mjpeg", "film", "--status", "0.1", "--prompt", "cat", "--threshold", "0.25"];
    let mut running = Running::new(folder.path(), &flags);
    // Each frame is sent when the one before has its line.
    for number in 0..60 {
        running.send(if number < 30 { &cat } else { &nobody });
        running.until(|line| line["frame"] == number);
    }
    let lines = running.until(|line| is(line, "status") && sink(line, "film")["lost"].as_u64() > Some(16));
    let stuck = sink(&lines[lines.len() - 1], "film");
    assert!(stuck["lag_ms"].as_f64() > Some(0.0) && stuck["failed"] == 0, "{stuck}");
    assert_eq!(sink(&lines[lines.len() - 1], "standard output")["lost"], 0);
    for count in [1, 2, 4, 8, 16] {
        running.tells(&format!("film: too slow, frames dropped ({count} so far)"));
    }
    let since = Instant::now();
    running.signal("TERM");
    running.wait();
    assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.told(&["warning: film: ", " results written, 0 failures; ", " frames and "]);
    assert!(!ended.errors.iter().any(|line| line.contains("warning: standard output")), "{ended:?}");
}

#[test]
fn standard_output_that_is_read_late_loses_frames_but_no_event() {
    let folder = tempdir().unwrap();
    visits(folder.path(), 1);
    let flags = ["--source", "visits.y4m", "--real-time", "--repeat", "--frames", "160", "--csv", "all.csv"];
    let quick = ["--set", "track.lost_seconds=0.3", "--annotate", "frames", "--status", "0.1"];
    let lines = ["--source", "visits.y4m", "--camera-fps", "25"];
    let mut running =
        Running::unread(folder.path(), &[&flags[..], &quick, &lines[2..], &LONG_LINES].concat());
    // All frames go through the other sinks before anybody reads.
    wait_until("160 annotated frames", || count(&folder.path().join("frames")) >= 160);
    running.read();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let frames = ended.lines.iter().filter(|line| is(line, "frame")).count();
    assert!((10..160).contains(&frames), "{frames}");
    ended.told(&["standard output: too slow, frames dropped (1 so far)"]);
    ended.told(&["standard output: ", " results written, 0 failures; ", " frames and 0 events dropped"]);
    let events = |kind: &str| ended.lines.iter().filter(|line| line["event"] == kind).count();
    let table = fs::read_to_string(folder.path().join("all.csv")).unwrap();
    for kind in ["appear", "disappear"] {
        let rows = table.lines().filter(|row| row.split(',').nth(3) == Some(kind)).count();
        assert!(rows >= 5 && rows == events(kind), "{rows} and {} {kind}", events(kind));
    }
}

#[test]
fn standard_output_that_nobody_reads_does_not_delay_the_end() {
    let folder = tempdir().unwrap();
    visits(folder.path(), 1);
    for real_time in ["true", "false"] {
        let frames = folder.path().join(real_time);
        let flags = ["--source", "visits.y4m", "--repeat", "--real-time", real_time, "--annotate", real_time];
        let mut running = Running::unread(folder.path(), &[&flags[..], &LONG_LINES].concat());
        // Where frames wait, standard output is full at last.
        let mut before = 0;
        wait_until("60 frames, or as many as the pipe holds", || {
            std::thread::sleep(Duration::from_millis(500));
            let now = count(&frames);
            now >= 60 || now > 8 && now == std::mem::replace(&mut before, now)
        });
        let since = Instant::now();
        running.signal("TERM");
        assert_eq!(running.wait().code(), Some(0));
        assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
    }
}
