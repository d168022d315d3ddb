//! A picture in a followed folder that kills the program.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use image::RgbImage;
use serde_json::Value;
use tempfile::tempdir;

use crate::common::film::Studio;
use crate::common::live::{Running, is};

/// Takes long enough to decode to be killed meanwhile.
const LARGE: u32 = 4000;

fn start(folder: &Path) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    command.args(["run", "--source", "inbox", "--follow", "--prompt", "cat"]).current_dir(folder);
    command.env("STATE_DIRECTORY", folder.join("state"));
    let mut running = Running::command(command);
    running.read();
    running
}

/// Whether it is noted that the bad picture is being read.
fn is_reading(folder: &Path) -> bool {
    let Ok(notes) = fs::read_dir(folder.join("state")) else { return false };
    let notes: Vec<String> =
        notes.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap_or_default()).collect();
    notes.iter().any(|note| note.contains(r#""reading":{"path":"inbox/1-bad.png""#))
}

/// A run that is reading the bad picture.
fn reading(folder: &Path) -> Running {
    for _ in 0..20 {
        let mut running = start(folder);
        let mut lines = 0;
        while lines == 0 {
            if is_reading(folder) {
                return running;
            }
            lines = running.lines_so_far();
            thread::sleep(Duration::from_millis(1));
        }
    }
    panic!("it is always faster");
}

fn width(width: u32) -> impl Fn(&Value) -> bool {
    move |line| is(line, "frame") && line["width"] == width
}

#[test]
fn a_picture_that_killed_the_program_is_passed_over_until_it_changes() {
    let folder = tempdir().unwrap();
    let inbox = folder.path().join("inbox");
    let bad = inbox.join("1-bad.png");
    fs::create_dir(&inbox).unwrap();
    RgbImage::new(LARGE, LARGE).save(&bad).unwrap();
    Studio::new().picture(Some(60)).save(inbox.join("2-good.png")).unwrap();

    // Ended in the middle of it as by Ctrl-C, nothing is wrong with it.
    let mut running = reading(folder.path());
    running.signal("TERM");
    assert_eq!(running.wait().code(), Some(0));
    assert_eq!(fs::read_dir(folder.path().join("state")).unwrap().count(), 0);

    let mut tries = 0;
    while !is_reading(folder.path()) {
        let mut running = reading(folder.path());
        running.signal("KILL");
        assert_eq!(running.wait().code(), None);
        tries += 1;
        assert!(tries < 20, "it is always faster");
    }

    // Told once a run, and remembered by the next.
    for _ in 0..2 {
        let mut running = start(folder.path());
        let lines = running.until(width(320));
        assert!(!lines.iter().any(width(LARGE)), "{lines:?}");
        running.tells("inbox/1-bad.png: passed over until it changes, since edgeclip was killed");
        running.signal("TERM");
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!ended.lines.iter().any(width(LARGE)), "{ended:?}");
        let told = ended.errors.iter().filter(|line| line.contains("`edgeclip detect inbox/1-bad.png "));
        assert_eq!(told.count(), 1, "{ended:?}");
    }

    let mut running = start(folder.path());
    running.until(width(320));
    RgbImage::new(40, 30).save(folder.path().join("new.png")).unwrap();
    fs::rename(folder.path().join("new.png"), &bad).unwrap();
    running.until(width(40));
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
    assert_eq!(fs::read_dir(folder.path().join("state")).unwrap().count(), 0);
}
