//! Frames that are broken, change their size or do not come, and sources that are gone.

use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use super::camera::Camera;
use crate::common::film::{Studio, film, jpeg, y4m};
use crate::common::live::{Running, is, tracks};

const CAT: [&str; 4] = ["--prompt", "cat, dog", "--threshold", "0.25"];

fn frame(line: &Value) -> bool {
    is(line, "frame")
}

/// Whether a line is a status with this count.
fn counts(key: &'static str, count: u64) -> impl Fn(&Value) -> bool {
    move |line| is(line, "status") && line[key].as_u64() >= Some(count)
}

/// Pseudorandom numbers (Numerical Recipes).
fn random(state: &mut u32) -> usize {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 8) as usize
}

#[test]
fn broken_frames_of_a_pipe_are_counted_and_each_new_reason_is_told() {
    let folder = tempdir().unwrap();
    let good = jpeg(&Studio::new().picture(Some(60)));
    let mut running =
        Running::new(folder.path(), &[&["--source", "-", "--status", "0.1"], &CAT[..]].concat());
    running.send(&good);
    running.until(frame);
    let size = good.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 5;
    let scan = good.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let with = |at: usize, bytes: &[u8]| [&good[..at], bytes, &good[at + bytes.len()..]].concat();
    let broken = [
        // No columns; pixels of 3 bits; no component of that number; a table that is not there.
        with(size + 2, &[0, 0]),
        with(size - 1, &[3]),
        with(scan + 5, &[77]),
        with(scan + 6, &[0x33]),
        // Cut short without an end: found out when the next one starts.
        [&good[..good.len() / 2], &good[..]].concat(),
    ];
    // One of them keeps coming.
    for (before, frame) in broken.iter().chain([&broken[0]; 3]).enumerate() {
        running.send(frame);
        running.until(counts("broken", before as u64 + 1));
    }
    running.send(&good);
    running.until(frame);
    // The last of the five ended with a good frame.
    running.tells("-: works again after 5 failures, ");
    running.tells("-: works again after 3 failures, ");
    running.no_more();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = [1, 2, 3, 4, 5].map(|count| {
        let end = format!("({count} broken frame{} so far)", if count == 1 { "" } else { "s" });
        ended.errors.iter().filter(|line| line.ends_with(&end)).count()
    });
    assert_eq!(told, [5, 1, 1, 1, 0], "{ended:#?}");
    ended.told(&["warning: -: ", " looked at, 8 broken, 0 stalls, 0 losses"]);
}

#[test]
fn no_damage_to_a_frame_ends_it() {
    let folder = tempdir().unwrap();
    let good = jpeg(&Studio::new().picture(Some(60)));
    let mut running = Running::new(folder.path(), &[&["--source", "-"], &CAT[..]].concat());
    let mut state = 1;
    for round in 0..60 {
        let mut damaged = good.clone();
        for _ in 0..1 + round % 7 {
            // Most of what can go wrong is in the first kilobyte.
            let length = if round % 2 == 0 { 1024 } else { damaged.len() };
            damaged[random(&mut state) % length] = random(&mut state) as u8;
        }
        running.send(&damaged);
        if round % 10 == 9 {
            // The first one may be needed to find the end of the last damaged one.
            running.send(&good);
            running.send(&good);
            running.until(|line| line["width"] == 320 && line["tags"][0]["label"] == "cat");
        }
    }
    running.no_more();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.errors.iter().any(|line| line.contains("internal error")), "{ended:?}");
}

#[test]
fn a_change_of_size_changes_no_track_and_leaves_no_zone() {
    let folder = tempdir().unwrap();
    let picture = Studio::new().picture(Some(20));
    let scaled = |width, height| {
        let filter = image::imageops::FilterType::Triangle;
        vec![image::imageops::resize(&picture, width, height, filter); 8]
    };
    let films = [(320, 240), (640, 480), (240, 180)].map(|(width, height)| y4m(&scaled(width, height), 8));
    fs::write(folder.path().join("sizes.y4m"), films.concat()).unwrap();
    let flags =
        ["--source", "sizes.y4m", "--zone", "bed=0,0.2,0.6,0.8", "--prompt", "cat", "--threshold", "0.4"];
    let ended = Running::new(folder.path(), &flags).end();
    assert_eq!((ended.code, ended.errors.len()), (Some(0), 0), "{ended:?}");
    let frames: Vec<&Value> = ended.lines.iter().filter(|line| frame(line)).collect();
    assert_eq!(frames.len(), 24);
    for after in [10, 18] {
        let [before, now] = [frames[7], frames[after]].map(|line| (&line["width"], &line["tracks"][0]));
        assert_eq!(before.1["id"], now.1["id"], "{ended:?}");
        let right =
            |(width, track): (&Value, &Value)| track["box"][2].as_f64().unwrap() / width.as_f64().unwrap();
        assert!((right(before) - right(now)).abs() < 0.05, "{before:?} {now:?}");
    }
    assert_eq!(
        (tracks(&ended.lines, "appear"), tracks(&ended.lines, "enter")),
        (vec![1], vec![1]),
        "{ended:?}"
    );
    assert!(
        tracks(&ended.lines, "leave").is_empty() && tracks(&ended.lines, "disappear").is_empty(),
        "{ended:?}"
    );
}

#[test]
fn a_camera_that_goes_away_and_comes_back_goes_on_in_the_same_process() {
    let folder = tempdir().unwrap();
    let picture = jpeg(&Studio::new().picture(Some(60)));
    let camera = Camera::new(&picture);
    let (port, url) = (camera.port(), camera.url());
    let mut running =
        Running::new(folder.path(), &[&["--source", &url, "--status", "0.2"], &CAT[..]].concat());
    let last = running.until(|line| line["event"] == "appear");
    let last = last.iter().rev().find(|line| frame(line)).unwrap()["frame"].as_u64();
    drop(camera);
    running.until(counts("stalled", 1));
    running.tells("1 stall so far");
    let _camera = Camera::at(port, &picture);
    let next = running.until(frame);
    assert!(next[next.len() - 1]["frame"].as_u64() > last, "numbers go on: {next:?}");
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.told(&["warning: ", &url, " looked at, 0 broken, "]);
}

#[test]
fn a_camera_that_falls_silent_is_connected_anew() {
    let folder = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    camera.falls_silent_after(3);
    let url = camera.url();
    let mut running =
        Running::new(folder.path(), &[&["--source", &url, "--status", "0.5"], &CAT[..]].concat());
    running.until(frame);
    running.until(counts("stalled", 1));
    let next = running.until(|line| frame(line) && line["frame"].as_u64() >= Some(3));
    assert!(!next.is_empty());
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.told(&["warning: ", "1 stall so far"]);
}

#[test]
fn a_pipe_that_falls_silent_is_told_once() {
    let folder = tempdir().unwrap();
    let good = jpeg(&Studio::new().picture(Some(60)));
    let mut running =
        Running::new(folder.path(), &[&["--source", "-", "--status", "0.5"], &CAT[..]].concat());
    running.send(&good);
    running.until(frame);
    running.until(counts("stalled", 1));
    running.send(&good);
    running.until(frame);
    running.no_more();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.told(&["warning: -: no frame within 10 s (1 stall so far)"]);
    ended.told(&["-: 2 frames, 2 looked at, 0 broken, 1 stalls, 0 losses"]);
}

#[test]
fn sources_that_are_missing_or_end_early_stop_no_other() {
    let folder = tempdir().unwrap();
    let picture = Studio::new().picture(Some(60));
    film(folder.path(), "short.y4m", &vec![picture.clone(); 3], 8);
    // Its header is good.
    fs::write(folder.path().join("empty.y4m"), "YUV4MPEG2 W4 H4 F1:1 C444\n").unwrap();
    let gone = Camera::new(&jpeg(&picture));
    let (port, url) = (gone.port(), gone.url());
    drop(gone);
    let sources = ["--source", "short.y4m", "--source", &url, "--source", "empty.y4m", "--status", "0.2"];
    let mut running = Running::new(folder.path(), &[&sources[..], &CAT].concat());
    running.until(|line| frame(line) && line["source"] == "short.y4m" && line["frame"] == 2);
    running.tells("empty.y4m: found nothing, expected frames; the other sources go on");
    running.until(|line| counts("stalled", 1)(line) && line["source"] == url.as_str());
    let _camera = Camera::at(port, &jpeg(&picture));
    running.until(|line| frame(line) && line["source"] == url.as_str());
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "it was ended, and goes on where sources are left: {ended:?}");
    ended.told(&["warning: ", &url, "it will be reopened when it is back"]);
}

#[test]
fn when_all_have_ended_the_first_failure_is_the_programs() {
    let folder = tempdir().unwrap();
    film(folder.path(), "short.y4m", &vec![Studio::new().picture(Some(60)); 3], 8);
    fs::write(folder.path().join("empty.y4m"), "YUV4MPEG2 W4 H4 F1:1 C444\n").unwrap();
    let sources = ["--source", "empty.y4m", "--source", "short.y4m"];
    let ended = Running::new(folder.path(), &[&sources[..], &CAT].concat()).end();
    assert_eq!(
        (ended.code, ended.lines.iter().filter(|line| frame(line)).count()),
        (Some(2), 3),
        "{ended:?}"
    );
    assert_eq!(
        ended.errors.last().map(String::as_str),
        Some("edgeclip: empty.y4m: found nothing, expected frames")
    );
}

#[test]
fn a_frame_that_is_not_due_when_the_source_ends_is_left() {
    let folder = tempdir().unwrap();
    let good = jpeg(&Studio::new().picture(Some(60)));
    let flags = [&["--source", "-", "--fps", "0.01", "--status", "0.1"], &CAT[..]].concat();
    let mut running = Running::new(folder.path(), &flags);
    running.send(&good);
    running.until(frame);
    running.send(&good);
    running.until(|line| is(line, "status") && line["fps_looked"] == 0.0);
    running.no_more();
    let ended = running.end();
    assert_eq!((ended.code, ended.errors.len()), (Some(0), 0), "{ended:?}");
    assert!(!ended.lines.iter().any(frame), "{ended:?}");
}
