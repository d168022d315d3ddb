//! A sealed process that is made to try what it must not do. Programs without debug assertions try nothing.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use super::{can_seal, has_landlock};
use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{Running, is};
use crate::faults::camera::Camera;

/// Permission denied, by Landlock; operation not permitted, by seccomp.
const DENIED: u32 = 13;
const REFUSED: u32 = 1;

/// A run in `place/work`, which makes its processes try things after the seal.
fn trying(place: &Path, tries: &str, cameras: &[&str]) -> Running {
    let work = place.join("work");
    fs::create_dir_all(work.join("out")).unwrap();
    fs::write(place.join("kept"), "kept").unwrap();
    film(&work, "film.y4m", &vec![Studio::new().picture(Some(60)); 4], 8);
    let source = |url: &&str| format!("[[source]]\nurl = '{url}'\n");
    // Beside a camera, the film has no end.
    let film = format!("[[source]]\nurl = 'film.y4m'\nrepeat = {}\n", !cameras.is_empty());
    fs::write(work.join("run.toml"), cameras.iter().map(source).chain([film]).collect::<String>()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    command.args(["run", "--seal", "--config", "run.toml", "--prompt", "cat", "--csv", "out/log.csv"]);
    command.current_dir(&work).env("EDGECLIP_TRY", tries);
    let mut running = Running::command(command);
    running.read();
    running
}

#[test]
fn what_the_settings_do_not_need_fails_and_is_told_and_the_run_goes_on() {
    if !can_seal() || !has_landlock(3) {
        return;
    }
    let place = tempdir().unwrap();
    let tries = [
        ("connect", REFUSED, "socket"),
        ("listen", REFUSED, "socket"),
        ("send", REFUSED, "socket"),
        ("local", REFUSED, "socket"),
        ("spawn", REFUSED, ""),
        ("fork", REFUSED, ""),
        ("signal", REFUSED, "kill"),
        ("code", REFUSED, "mmap"),
        ("type", REFUSED, "ioctl"),
        ("write", DENIED, ""),
        ("overwrite", DENIED, ""),
        ("remove", DENIED, ""),
        ("read", DENIED, ""),
    ];
    let list: Vec<String> = tries.iter().map(|(what, ..)| format!("run:{what}")).collect();
    let ended = trying(place.path(), &list.join(","), &[]).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (what, error, call) in tries {
        ended.told(&[&format!("edgeclip: run tried {what}: error {error}")]);
        if !call.is_empty() {
            // Names differ between C libraries and processors.
            ended.told(&["edgeclip: warning: the seal has refused the system call ", call]);
        }
    }
    assert!(!place.path().join("tried").exists());
    assert_eq!(fs::read_to_string(place.path().join("kept")).unwrap(), "kept");
    assert_eq!(ended.lines.iter().filter(|line| is(line, "frame")).count(), 4);
    let rows = fs::read_to_string(place.path().join("work/out/log.csv")).unwrap();
    assert!(rows.lines().count() > 1, "{rows}");
}

#[test]
fn what_only_an_intruder_does_ends_the_process() {
    if !can_seal() {
        return;
    }
    for what in ["exec", "trace"] {
        let place = tempdir().unwrap();
        let mut running = trying(place.path(), &format!("run:{what}"), &[]);
        assert_eq!(running.wait().signal(), Some(libc::SIGSYS), "{what}");
    }
}

#[test]
fn processes_that_decode_may_do_even_less() {
    if !can_seal() || !has_landlock(4) {
        return;
    }
    let place = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let tries = [
        // It may have sockets, but for its camera's port alone.
        ("camera", "connect", DENIED),
        ("camera", "listen", REFUSED),
        ("camera", "read", REFUSED),
        ("camera", "write", REFUSED),
        ("camera", "fork", REFUSED),
        ("pictures", "connect", REFUSED),
        ("pictures", "read", REFUSED),
        ("pictures", "write", REFUSED),
        ("pictures", "spawn", REFUSED),
        ("nursery", "listen", REFUSED),
        ("nursery", "read", REFUSED),
    ];
    let list: Vec<String> = tries.iter().map(|(who, what, _)| format!("{who}:{what}")).collect();
    let mut running = trying(place.path(), &list.join(","), &[&camera.url()]);
    running.until(|line| is(line, "frame") && line["source"] == camera.url().as_str());
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (who, what, error) in tries {
        ended.told(&[&format!("edgeclip: {who} tried {what}: error {error}")]);
    }
}

#[test]
fn a_decoder_that_is_taken_over_dies_and_the_other_sources_go_on() {
    if !can_seal() {
        return;
    }
    let place = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let mut running = trying(place.path(), "camera:exec", &[&camera.url()]);
    running.tells("the seal forbids");
    running.lines_so_far();
    running.until(|line| is(line, "frame") && line["source"] == "film.y4m");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}
