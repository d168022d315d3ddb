//! A sealed run does what an open one does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::tempdir;

use super::can_seal;
use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{Running, is, wait_until};
use crate::faults::apart::children;
use crate::faults::camera::Camera;
use crate::faults::endurance::rtsp_pictures;
use crate::faults::rtsp::{self, Script, Step};

fn frame(source: &str) -> impl Fn(&Value) -> bool {
    move |line| is(line, "frame") && line["source"] == source
}

/// Processes below this one.
fn descendants(pid: u32) -> Vec<u32> {
    children(pid).into_iter().flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

/// Those that have no child: they read and decode.
fn decoders(pid: u32) -> Vec<u32> {
    descendants(pid).into_iter().filter(|process| children(*process).is_empty()).collect()
}

pub(super) fn kill(signal: &str, processes: &[u32]) {
    for process in processes {
        let _ = Command::new("sh").args(["-c", "kill -$0 $1", signal, &process.to_string()]).status();
    }
}

/// A line of `/proc/PID/status`.
fn status(pid: u32, key: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim_start_matches(':').trim().to_owned()
}

fn configure(folder: &Path, cameras: &[&str], words: &str) {
    fs::write(folder.join("words/list"), words).unwrap();
    let sources = ["film.y4m", "photos"].map(|url| format!("[[source]]\nurl = \"{url}\"\nrepeat = true\n"));
    let inbox = "[[source]]\nurl = \"inbox\"\nfollow = true\n".to_owned();
    let cameras = cameras.iter().map(|url| format!("[[source]]\nurl = \"{url}\"\n"));
    let settings = "prompt = \"@words/list\"\nthreshold = 0.25\nseal = true\nstatus = 0.2\ncsv = \"out/log.csv\"\n\
                    annotate = \"frames\"\nannotate_max = 5\nsnapshot = \"events\"\n";
    let all = [settings.to_owned()].into_iter().chain(sources).chain([inbox]).chain(cameras);
    fs::write(folder.join("run.toml"), all.collect::<String>()).unwrap();
}

#[test]
fn every_kind_of_source_and_file_works_under_the_seal() {
    if !can_seal() {
        return;
    }
    let folder = tempdir().unwrap();
    let place = folder.path();
    for name in ["photos", "inbox", "out", "words"] {
        fs::create_dir(place.join(name)).unwrap();
    }
    let studio = Studio::new();
    let picture = jpeg(&studio.picture(Some(60)));
    film(place, "film.y4m", &[vec![studio.picture(Some(60)); 4], vec![studio.picture(None); 4]].concat(), 8);
    fs::write(place.join("photos/1.jpg"), &picture).unwrap();
    let http = Camera::new(&picture);
    let units = rtsp_pictures().into_iter();
    let steps = units.flat_map(|unit| [Step::Send(unit), Step::Wait(std::time::Duration::from_millis(60))]);
    let rtsp = rtsp::Camera::start(vec![Script::new(steps.chain([Step::Close])); 200]);
    configure(place, &[&http.url(), &rtsp.url()], "dog\n");

    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    command.args(["run", "--config", "run.toml"]).current_dir(place);
    command.env("STATE_DIRECTORY", place.join("state"));
    let mut running = Running::command(command);
    running.read();
    running.tells("sealed");
    let mut waiting: BTreeSet<String> =
        ["film.y4m", "photos", &http.url(), &rtsp.url()].map(str::to_owned).into();
    while !waiting.is_empty() {
        let line = running.line();
        if is(&line, "frame") {
            waiting.remove(line["source"].as_str().unwrap());
        }
    }
    // What is dropped into the followed folder is looked at.
    fs::write(place.join("new.jpg"), &picture).unwrap();
    fs::rename(place.join("new.jpg"), place.join("inbox/new.jpg")).unwrap();
    running.until(frame("inbox"));

    // Every process is held to a filter.
    let all = descendants(running.pid());
    assert!(all.len() >= 3, "{all:?}");
    for process in all.iter().copied().chain([running.pid()]) {
        assert_eq!(status(process, "Seccomp"), "2", "{process} of {all:?}");
        assert_eq!(status(process, "NoNewPrivs"), "1");
    }

    // Decoders that die are started again, and so are those who start them.
    kill("SEGV", &decoders(running.pid()));
    running.tells("the decoder died: signal 11");
    running.lines_so_far();
    for url in [http.url(), rtsp.url()] {
        running.until(frame(&url));
    }
    let supervisor = children(running.pid());
    assert_eq!(supervisor.len(), 1, "nobody else is started");
    let nursery = children(supervisor[0]);
    assert_eq!(nursery.len(), 1);
    let before = running.told_so_far();
    // Those that are just being started may not be there yet.
    wait_until("a keeper that died", || {
        kill("KILL", &children(nursery[0]));
        std::thread::sleep(std::time::Duration::from_millis(500));
        running.lines_so_far();
        running.errors().iter().skip(before).any(|line| line.contains("its connection ended"))
    });
    for url in [http.url(), rtsp.url()] {
        running.until(frame(&url));
    }

    // Words change, by a new file of the same name.
    fs::write(place.join("words/next"), "cat\n").unwrap();
    fs::rename(place.join("words/next"), place.join("words/list")).unwrap();
    running.signal("HUP");
    running.tells("reloaded prompts, zones and rates");
    running.until(|line| line["event"] == "appear" && line["label"] == "cat");
    // Logs are rotated, frames and snapshots are.
    fs::rename(place.join("out/log.csv"), place.join("out/log.csv.1")).unwrap();
    wait_until("a new table", || {
        running.lines_so_far();
        fs::metadata(place.join("out/log.csv")).is_ok_and(|about| about.len() > 0)
    });
    wait_until("a snapshot", || {
        running.lines_so_far();
        fs::read_dir(place.join("events")).unwrap().count() >= 2
    });
    wait_until("frames that have gone", || {
        running.lines_so_far();
        let names = fs::read_dir(place.join("frames")).unwrap().map(|file| file.unwrap().file_name());
        let frames = names.filter(|name| name.to_string_lossy().starts_with("frame-")).count();
        (3..=5).contains(&frames) && !place.join("frames/frame-00000001.jpg").exists()
    });
    let lines = running.until(|line| is(line, "status"));
    let sinks = lines[lines.len() - 1]["sinks"].as_array().unwrap().clone();
    assert!(sinks.iter().all(|sink| sink["failed"] == 0), "{sinks:?}");

    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let refused = ended.errors.iter().filter(|line| line.contains("the seal has refused"));
    assert_eq!(refused.collect::<Vec<_>>(), Vec::<&String>::new());
    // Nothing is left of its processes.
    let is_alive = |process: &u32| {
        fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
    };
    wait_until("over", || !all.iter().any(is_alive));
}

#[test]
fn a_full_disk_is_survived_under_the_seal() {
    if !can_seal() {
        return;
    }
    let folder = tempdir().unwrap();
    let studio = Studio::new();
    film(folder.path(), "film.y4m", &vec![studio.picture(Some(60)); 24], 8);
    fs::create_dir(folder.path().join("disk")).unwrap();
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
    command.args([
        env!("CARGO_BIN_EXE_edgeclip"),
        "run",
        "--seal",
        "--source",
        "film.y4m",
        "--prompt",
        "cat",
    ]);
    command.args(["--annotate", "disk/frames", "--csv", "disk/all.csv"]);
    let ended = Running::command(command).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.lines.iter().filter(|line| is(line, "frame")).count(), 24);
    assert!(!ended.errors.iter().any(|line| line.contains("the seal has refused")), "{ended:?}");
    assert!(fs::metadata(folder.path().join("left/frames/frame-00000024.jpg")).is_ok(), "{ended:?}");
}

#[test]
fn a_library_refuses_to_seal_a_process_that_is_not_edgeclip() {
    let error = edgeclip::Watcher::builder().config("seal = true\nprompt = \"cat\"").source("-").build();
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("seal: found true, expected false"), "{error}");
}
