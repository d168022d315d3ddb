//! A configuration that changes while frames come.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use crate::common::film::{Studio, film};
use crate::common::live::{Running, is};

/// Writes the configuration.
fn configure(folder: &Path, prompt: &str, more: &str) {
    let text = format!(
        "prompt = '{prompt}'\nthreshold = 0.25\n{more}\n[[source]]\nurl = 'cat.y4m'\nrepeat = true\n"
    );
    fs::write(folder.join("edgeclip.toml"), text).unwrap();
}

fn shows(line: &Value, label: &str) -> bool {
    is(line, "frame") && line["detections"].as_array().unwrap().iter().any(|found| found["label"] == label)
}

fn megabytes(running: &Running) -> f64 {
    let pages = fs::read_to_string(format!("/proc/{}/statm", running.pid())).unwrap();
    pages.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0 / 1e6
}

#[test]
fn prompts_and_zones_change_between_two_frames_and_none_is_missing() {
    let folder = tempdir().unwrap();
    let picture = Studio::new().picture(Some(20));
    film(folder.path(), "cat.y4m", &vec![picture; 8], 8);
    configure(folder.path(), "dog", "");
    let mut running = Running::new(folder.path(), &["--config", "edgeclip.toml"]);
    let mut lines = running.until(|line| line["frame"] == 30);
    assert!(!lines.iter().any(|line| shows(line, "cat")));
    let before = megabytes(&running);

    // By a signal: new words, which take the text tower, and a zone.
    let zone = "zone = [{ name = 'bed', box = [0, 0.2, 0.6, 0.8] }]";
    configure(folder.path(), "cat, a cup of coffee", zone);
    running.signal("HUP");
    lines.extend(running.until(|line| line["event"] == "enter"));
    assert_eq!(lines[lines.len() - 1]["zone"], "bed");
    assert!(lines.iter().any(|line| shows(line, "cat")));
    running.tells("reloaded prompts, zones and rates");
    let frame = lines[lines.len() - 1]["frame"].as_u64().unwrap();
    lines.extend(running.until(|line| line["frame"] == frame + 30));
    let after = megabytes(&running);
    assert!(after < before + 12.0, "the text tower has gone: {before:.1} to {after:.1} MB");

    // A broken one changes nothing.
    configure(folder.path(), "dog", "zoen = 3");
    running.signal("HUP");
    running.tells("the unknown key zoen");
    running.tells("keeping the previous configuration");
    let frame = lines[lines.len() - 1]["frame"].as_u64().unwrap();
    lines.extend(running.until(|line| line["frame"] == frame + 20));
    assert!(shows(&lines[lines.len() - 1], "cat"));

    // By its time; what takes a restart is told, and the rest has its effect.
    configure(folder.path(), "dog", "csv = 'events.csv'\nthreads = 1");
    running.tells("warning: csv has changed, which takes effect after a restart");
    running.tells("warning: threads has changed, which takes effect after a restart");
    lines.extend(running.until(|line| line["event"] == "leave"));
    lines.extend(running.until(|line| is(line, "frame") && !shows(line, "cat")));

    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lines.extend(ended.lines);
    let frames: Vec<u64> =
        lines.iter().filter(|line| is(line, "frame")).map(|line| line["frame"].as_u64().unwrap()).collect();
    assert!(frames.iter().copied().eq(0..frames.len() as u64), "{frames:?}");
    assert!(!folder.path().join("events.csv").exists());
}

#[test]
fn other_sources_wait_for_a_restart_and_zones_do_not() {
    let folder = tempdir().unwrap();
    film(folder.path(), "cat.y4m", &vec![Studio::new().picture(Some(20)); 8], 8);
    configure(folder.path(), "cat", "");
    let mut running = Running::new(folder.path(), &["--config", "edgeclip.toml"]);
    running.until(|line| line["event"] == "appear");
    let zone = "prompt = 'cat'\nthreshold = 0.25\nzone = [{ name = 'bed', box = [0, 0.2, 0.6, 0.8] }]";
    fs::write(folder.path().join("edgeclip.toml"), zone).unwrap();
    running.signal("HUP");
    running.tells("warning: source has changed, which takes effect after a restart");
    running.until(|line| line["event"] == "enter");
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.errors.iter().any(|line| line.contains("internal error")), "{ended:?}");
}

#[test]
fn a_list_of_prompts_is_followed_like_the_configuration() {
    let folder = tempdir().unwrap();
    film(folder.path(), "cat.y4m", &vec![Studio::new().picture(Some(20)); 8], 8);
    let words = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    words("words.txt", "dog\n");
    words("others.txt", "cat\n");
    configure(folder.path(), "@words.txt", "");
    let mut running = Running::new(folder.path(), &["--config", "edgeclip.toml"]);
    assert!(!running.until(|line| line["frame"] == 10).iter().any(|line| shows(line, "cat")));
    words("words.txt", "cat\n# dog\n");
    running.until(|line| shows(line, "cat"));
    // A list that the configuration names only now is followed from then on.
    words("others.txt", "dog\n");
    configure(folder.path(), "@others.txt", "");
    running.until(|line| is(line, "frame") && !shows(line, "cat"));
    words("others.txt", "animal = cat\n");
    running.until(|line| shows(line, "animal"));
    // One that cannot be used changes nothing, and a configuration is not needed.
    words("others.txt", "a = cat\na = dog\n");
    running.tells("keeping the previous configuration");
    assert!(shows(running.until(|line| is(line, "frame")).last().unwrap(), "animal"));
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));

    words("words.txt", "dog\n");
    let flags = ["--source", "cat.y4m", "--repeat", "--threshold", "0.25", "--prompt", "@words.txt"];
    let mut running = Running::new(folder.path(), &flags);
    running.until(|line| is(line, "frame") && !shows(line, "cat"));
    words("words.txt", "cat\n");
    running.until(|line| shows(line, "cat"));
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}
