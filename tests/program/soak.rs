//! Frames as fast as possible for a long time: memory stays flat, no frame is lost, and every event is there once.
//!
//! `EDGECLIP_SOAK_FRAMES=54000` is an hour at 15 frames a second; `EDGECLIP_BINARY` names another program than this build's.

use std::env;
use std::fs;
use std::process::Command;

use serde_json::Value;
use tempfile::tempdir;

use crate::common::film::{Studio, film};
use crate::common::live::{Running, is, tracks};

/// Frames of the film: the cat walks, then there is nobody for longer than a track is kept.
const FILM: u64 = 30;
const WALK: u32 = 18;
/// What memory may grow by in the second half, in megabytes.
const GROWTH: f64 = 3.0;

/// Resident memory in megabytes.
fn resident(pid: u32) -> f64 {
    let pages = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    pages.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0 / 1e6
}

#[test]
fn memory_stays_flat_and_every_event_is_there_once() {
    let wanted: u64 = env::var("EDGECLIP_SOAK_FRAMES").map_or(600, |frames| frames.parse().unwrap());
    let passes = wanted.div_ceil(FILM);
    let looks = passes * FILM;
    let folder = tempdir().unwrap();
    let studio = Studio::new();
    let nobody = vec![studio.picture(None); FILM as usize - WALK as usize];
    film(folder.path(), "visits.y4m", &[studio.walk(WALK), nobody].concat(), 10);

    let binary = env::var_os("EDGECLIP_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_edgeclip").into());
    let mut command = Command::new(binary);
    command.current_dir(folder.path()).args([
        "run",
        "--source",
        "visits.y4m",
        "--repeat",
        "--prompt",
        "cat, dog",
    ]);
    command.args(["--threshold", "0.25", "--frames", &looks.to_string(), "--set", "track.lost_seconds=0.5"]);
    command.args(["--zone", "right=0.6,0,1,1", "--line", "middle=0.5,1,0.5,0", "--csv", "events.csv"]);
    command.args([
        "--annotate",
        "frames",
        "--annotate-max",
        "20",
        "--snapshot",
        "events",
        "--snapshot-mb",
        "1",
    ]);
    command.args(["--mjpeg", "/dev/null"]);
    let mut running = Running::command(command);
    running.read();

    let (mut events, mut memory) = (Vec::new(), Vec::new());
    for frame in 0..looks {
        let lines = running.until(|line| is(line, "frame"));
        assert_eq!(lines[lines.len() - 1]["frame"], frame, "no frame is missing");
        events.extend(lines.into_iter().filter(|line| is(line, "event")));
        if frame % (looks / 200).max(1) == 0 {
            memory.push(resident(running.pid()));
        }
    }
    let ended = running.end();
    assert_eq!((ended.code, ended.errors.len()), (Some(0), 0), "{ended:?}");
    events.extend(ended.lines);

    let visits: Vec<u64> = (1..=passes).collect();
    for kind in ["appear", "disappear", "enter", "cross"] {
        assert_eq!(tracks(&events, kind), visits, "{kind}, once a visit");
    }
    assert!(
        events.iter().filter(|event| event["event"] == "cross").all(|event| event["direction"] == "forward")
    );
    let crossed = events.iter().rfind(|event: &&Value| event["event"] == "cross").unwrap();
    assert_eq!(crossed["forwards"], passes, "{crossed}");

    let quarter = memory.len() / 4;
    let most = |range: &[f64]| range.iter().copied().fold(0.0, f64::max);
    let (early, late) = (most(&memory[quarter..2 * quarter]), most(&memory[3 * quarter..]));
    eprintln!(
        "{looks} frames, {passes} visits: {early:.1} MB in the second quarter, {late:.1} MB in the last"
    );
    assert!(late <= early + GROWTH, "{early:.1} MB became {late:.1} MB: {memory:.1?}");
    let sizes = fs::read_dir(folder.path().join("events"))
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len());
    assert!(sizes.sum::<u64>() <= 1_000_000, "snapshots are limited");
    assert_eq!(fs::read_dir(folder.path().join("frames")).unwrap().count(), 20, "and so are frames");
}
