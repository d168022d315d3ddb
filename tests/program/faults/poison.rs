//! A picture in a followed folder that kills the program.

use std::fs;
use std::path::{Path, PathBuf};
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

/// A control group in which a program and its children may take 512 MB, if one can be made here.
struct Group(PathBuf);

impl Group {
    fn new() -> Option<Self> {
        let membership = fs::read_to_string("/proc/self/cgroup").ok()?;
        let path = |wanted: &str| {
            let line = membership.lines().find(|line| line.split(':').nth(1) == Some(wanted))?;
            Some(line.splitn(3, ':').nth(2)?.trim_start_matches('/').to_owned())
        };
        let versions = [("memory", "memory", "memory.limit_in_bytes"), ("", "", "memory.max")];
        versions.into_iter().find_map(|(controller, mount, limit)| {
            let group = Path::new("/sys/fs/cgroup").join(mount).join(path(controller)?);
            let group = group.join(format!("edgeclip-test-{}", std::process::id()));
            fs::create_dir(&group).ok()?;
            let group = Self(group);
            fs::write(group.0.join(limit), (512 << 20).to_string()).ok()?;
            Some(group)
        })
    }

    /// A command that runs in it.
    fn command(&self) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\""]).arg(&self.0);
        command.arg(env!("CARGO_BIN_EXE_edgeclip"));
        command
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that was killed may still be leaving it.
        crate::common::live::wait_until("empty", || fs::remove_dir(&self.0).is_ok() || !self.0.exists());
    }
}

#[test]
fn in_512_megabytes_no_picture_kills_the_program() {
    let Some(group) = Group::new() else {
        return eprintln!("NOT CHECKED: no control group can be made here");
    };
    let folder = tempdir().unwrap();
    let inbox = folder.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    // One pixel of 10,000 times 10,000.
    let screen = [
        &b"GIF89a\x10\x27\x10\x27\x80\0\0\0\0\0\xff\xff\xff"[..],
        b",\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0;",
    ];
    fs::write(inbox.join("1.gif"), screen.concat()).unwrap();
    RgbImage::new(6000, 6000).save(inbox.join("2.png")).unwrap();
    RgbImage::new(6000, 6000).save(inbox.join("3.jpg")).unwrap();
    RgbImage::new(5000, 5000).save(inbox.join("4.bmp")).unwrap();
    Studio::new().picture(Some(60)).save(inbox.join("5-good.png")).unwrap();
    let mut command = group.command();
    command.args(["run", "--source", "inbox", "--follow", "--prompt", "cat", "--threads", "1"]);
    command.current_dir(folder.path()).env("STATE_DIRECTORY", folder.path().join("state"));
    let mut running = Running::command(command);
    running.read();
    let lines = running.until(width(320));
    // A part of the JPEG's size is enough.
    assert!(lines.iter().any(|line| is(line, "frame") && line["width"].as_u64() <= Some(3000)), "{lines:?}");
    running.tells("1.gif: found 10000x10000 pixels, which take ");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));

    let mut command = group.command();
    let pictures = ["1.gif", "2.png", "3.jpg", "4.bmp", "5-good.png"];
    command.arg("detect").args(pictures).args(["--prompt", "cat", "--threads", "1"]).current_dir(&inbox);
    let found = command.output().unwrap();
    let (lines, errors) =
        (String::from_utf8(found.stdout).unwrap(), String::from_utf8(found.stderr).unwrap());
    assert_eq!(found.status.code(), Some(2), "{errors}");
    assert!(lines.contains("\"path\":\"5-good.png\"") && !lines.contains("1.gif"), "{lines}");
    assert!(errors.contains("1.gif: found 10000x10000 pixels"), "{errors}");
}
