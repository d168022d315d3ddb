//! Pictures that kill what decodes them: each costs itself, and nothing else.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use image::RgbImage;
use image::codecs::gif::{GifEncoder, Repeat};
use serde_json::Value;
use tempfile::tempdir;

use super::apart::{children, unbroken_of};
use super::camera::Camera;
use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{Running, is, wait_until};

/// Takes so long to decode that it is killed meanwhile.
const SLOW: u32 = 6000;

fn kill(pid: u32, signal: &str) -> bool {
    Command::new("sh")
        .args(["-c", "kill -$0 $1", signal, &pid.to_string()])
        .output()
        .unwrap()
        .status
        .success()
}

/// The processes that decode for `pid`.
fn decoders(pid: u32) -> Vec<u32> {
    children(pid).into_iter().flat_map(children).collect()
}

#[test]
fn of_a_command_line_a_picture_that_kills_its_decoder_is_named_and_the_next_is_decoded() {
    let folder = tempdir().unwrap();
    RgbImage::new(SLOW, SLOW).save(folder.path().join("1-bad.png")).unwrap();
    fs::write(folder.path().join("2-good.jpg"), jpeg(&Studio::new().picture(Some(60)))).unwrap();
    let mut detect = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    detect.args(["detect", "1-bad.png", "2-good.jpg", "--prompt", "cat, dog", "--threads", "1"]);
    detect.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut detect = detect.spawn().unwrap();
    let (pid, told) = (detect.id(), Arc::new(AtomicBool::new(false)));
    let theirs = Arc::clone(&told);
    let killer = thread::spawn(move || {
        while !theirs.load(Ordering::Relaxed) {
            for decoder in decoders(pid) {
                kill(decoder, "SEGV");
            }
        }
    });
    let mut line = String::new();
    let mut errors = BufReader::new(detect.stderr.take().unwrap());
    errors.read_line(&mut line).unwrap();
    told.store(true, Ordering::Relaxed);
    killer.join().unwrap();
    let mut found = String::new();
    detect.stdout.take().unwrap().read_to_string(&mut found).unwrap();
    assert_eq!(detect.wait().unwrap().code(), Some(2));
    let expected = "1-bad.png: found the decoder died: signal 11, expected a picture that can be decoded";
    assert!(line.contains(expected), "{line}");
    let found: Vec<Value> = found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((found.len(), &found[0]["path"], &found[0]["width"]), (1, &"2-good.jpg".into(), &320.into()));
    assert_eq!(found[0]["tags"][0]["label"], "cat");
}

#[test]
fn in_a_followed_folder_it_is_told_and_the_other_sources_lose_no_frame() {
    let folder = tempdir().unwrap();
    let inbox = folder.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    RgbImage::new(SLOW, SLOW).save(inbox.join("1-bad.png")).unwrap();
    fs::write(inbox.join("2-good.jpg"), jpeg(&Studio::new().picture(Some(60)))).unwrap();
    film(folder.path(), "film.y4m", &vec![Studio::new().picture(Some(60)); 4], 8);
    fs::write(
        folder.path().join("watch.toml"),
        "[[source]]\nurl = \"inbox\"\nfollow = true\n[[source]]\nurl = \"film.y4m\"\nrepeat = true\n",
    )
    .unwrap();
    let flags = ["--config", "watch.toml", "--prompt", "cat, dog", "--status", "0.1"];
    let mut running = Running::new(folder.path(), &flags);
    let pid = running.pid();
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&over);
    let killer = thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            for decoder in decoders(pid) {
                kill(decoder, "SEGV");
            }
        }
    });
    running.tells("1-bad.png: found the decoder died: signal 11");
    over.store(true, Ordering::Relaxed);
    killer.join().unwrap();
    let mut lines = running.until(|line| is(line, "frame") && line["source"] == "inbox");
    assert_eq!(lines[lines.len() - 1]["width"], 320);
    lines.extend(running.until(|line| is(line, "frame") && line["source"] == "film.y4m"));
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lines.extend(ended.lines);
    assert!(unbroken_of(&lines, "film.y4m") > 0);
}

#[test]
fn an_animation_and_motion_jpeg_go_on_where_their_decoder_was_killed() {
    let folder = tempdir().unwrap();
    let picture = Studio::new().picture(Some(60));
    let file = fs::File::create(folder.path().join("film.gif")).unwrap();
    let mut gif = GifEncoder::new_with_speed(file, 30);
    gif.set_repeat(Repeat::Infinite).unwrap();
    for _ in 0..6 {
        let frame = image::DynamicImage::ImageRgb8(picture.clone()).into_rgba8();
        gif.encode_frame(image::Frame::new(frame)).unwrap();
    }
    drop(gif);
    fs::write(folder.path().join("film.mjpeg"), jpeg(&picture).repeat(6)).unwrap();
    let sources = ["--source", "film.gif", "--source", "film.mjpeg", "--repeat"];
    let flags = ["--prompt", "cat, dog", "--threads", "1"];
    let mut running = Running::new(folder.path(), &[&sources[..], &flags].concat());
    let mut lines = Vec::new();
    for (round, signal) in ["SEGV", "KILL", "ABRT", "SEGV", "CONT"].iter().enumerate() {
        // None of those that were on their way when the decoder was killed.
        for source in ["film.gif", "film.mjpeg"] {
            let is_late =
                |line: &Value| line["source"] == source && line["frame"].as_u64() >= Some(4 * round as u64);
            if !lines.iter().any(is_late) {
                lines.extend(running.until(is_late));
            }
        }
        for decoder in decoders(running.pid()) {
            kill(decoder, signal);
        }
    }
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lines.extend(ended.lines.iter().cloned());
    assert!(unbroken_of(&lines, "film.gif") > 4 && unbroken_of(&lines, "film.mjpeg") > 4);
    assert_eq!(ended.errors, Vec::<String>::new(), "nothing was lost");
}

#[test]
fn the_limit_of_a_picture_holds_where_it_is_decoded() {
    let folder = tempdir().unwrap();
    let large = jpeg(&RgbImage::from_fn(1600, 1200, |x, y| image::Rgb([(x / 8) as u8, (y / 8) as u8, 90])));
    fs::write(folder.path().join("large.jpg"), &large).unwrap();
    let args = ["detect", "large.jpg", "--prompt", "cat", "--max-picture-mb", "4"];
    let mut detect = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    let found = detect.args(args).current_dir(folder.path()).output().unwrap();
    let line: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!((&line["width"], &line["height"]), (&800.into(), &600.into()));
    let told = String::from_utf8(found.stderr).unwrap();
    assert!(told.contains("large.jpg: 1600x1200 pixels take more than 4 MB to decode"), "{told}");

    let camera = Camera::new(&large);
    let url = camera.url();
    let flags = ["--source", &url, "--prompt", "cat", "--max-picture-mb", "12", "--frames", "1"];
    let ended = Running::new(folder.path(), &flags).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.lines[0]["width"], 800);
    ended.told(&[&url, "frame ", "1600x1200 pixels take more than 4 MB to decode"]);
}

#[test]
fn its_decoder_ends_with_a_command() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("a.jpg"), jpeg(&Studio::new().picture(None))).unwrap();
    let mut eval = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    eval.arg("eval").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut eval = eval.spawn().unwrap();
    let mut family = Vec::new();
    wait_until("split off", || {
        family = children(eval.id());
        family.extend(decoders(eval.id()));
        family.len() == 2
    });
    eval.kill().unwrap();
    eval.wait().unwrap();
    let alive =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    wait_until("over", || !family.iter().any(alive));
}
