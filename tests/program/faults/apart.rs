//! Cameras whose bytes kill, fill or tie up whatever reads them: it costs nobody else a frame.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;

use super::camera::Camera;
use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{Running, is};

/// A camera that lets `talk` answer each connection once it has heard a request.
pub(crate) fn camera(scheme: &str, talk: fn(&mut TcpStream) -> std::io::Result<()>) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("{scheme}://{}/stream", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut request = BufReader::new(stream.try_clone()?).lines();
                while request.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
                talk(&mut stream)
            });
        }
    });
    url
}

/// A description with one line that is none.
fn bad_line(stream: &mut TcpStream) -> std::io::Result<()> {
    let media = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\ngarbage\r\na=control:trackID=1\r\n";
    let sdp = format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n{media}");
    let length = sdp.len();
    write!(
        stream,
        "RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}"
    )?;
    thread::sleep(Duration::from_secs(1));
    Ok(())
}

/// A header that never ends.
fn endless_header(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"RTSP/1.0 200 OK\r\nX: ")?;
    loop {
        stream.write_all(&[b'x'; 1 << 16])?;
    }
}

/// A description of 4 GB.
pub(crate) fn endless_body(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: 4000000000\r\n\r\n",
    )?;
    loop {
        stream.write_all(
            &b"a=x:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(1000),
        )?;
    }
}

/// One byte at a time.
fn trickle(stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        stream.write_all(b"x")?;
        thread::sleep(Duration::from_millis(300));
    }
}

/// Watches the film, again and again, and these cameras.
pub(crate) fn watch(folder: &Path, cameras: &[String], flags: &[&str]) -> Running {
    film(folder, "film.y4m", &vec![Studio::new().picture(Some(60)); 4], 8);
    let cameras = cameras.iter().map(|url| format!("[[source]]\nurl = \"{url}\"\n"));
    let film = "[[source]]\nurl = \"film.y4m\"\nrepeat = true\n".to_owned();
    fs::write(folder.join("watch.toml"), cameras.chain([film]).collect::<String>()).unwrap();
    let flags = [&["--config", "watch.toml"], flags, &["--prompt", "cat, dog", "--threshold", "0.25"]];
    Running::new(folder, &flags.concat())
}

/// Peak memory of a process in megabytes.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// Processes that `parent` has started.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |pid: &u32| {
        // The name before the last bracket may hold anything.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit(") ").next().map(|rest| rest.split(' ').nth(1).map(str::to_owned));
        fields.flatten().is_some_and(|found| found == parent.to_string())
    };
    numbers.filter(is_child).collect()
}

/// How many frames of the film there are, whose numbers have no gap.
pub(crate) fn unbroken(lines: &[Value]) -> u64 {
    unbroken_of(lines, "film.y4m")
}

/// The same for the film of this name.
pub(crate) fn unbroken_of(lines: &[Value], source: &str) -> u64 {
    let frames = lines.iter().filter(|line| is(line, "frame") && line["source"] == source);
    let numbers: Vec<u64> = frames.map(|line| line["frame"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = (0..numbers.len() as u64).collect();
    assert_eq!(numbers, expected, "{source} loses no frame");
    numbers.len() as u64
}

#[test]
fn hostile_cameras_are_told_and_harm_nobody() {
    let folder = tempdir().unwrap();
    let cameras = [
        camera("rtsp", bad_line),
        camera("rtsp", endless_header),
        camera("rtsp", endless_body),
        camera("rtsp", trickle),
        camera("http", trickle),
    ];
    let mut running = watch(folder.path(), &cameras, &["--set", "decoder_mb=64"]);
    let mut lines = running.until(|line| line["frame"] == 20);
    for url in &cameras {
        running.tells(url);
    }
    lines.extend(running.until(|line| line["frame"].as_u64() > Some(40)));
    let (own, most) = (peak(running.pid()), 450);
    assert!(own < most, "{own} MB");
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lines.extend(ended.lines.iter().cloned());
    unbroken(&lines);
    ended.told(&[&cameras[2], "the decoder needed more than 64 MB of memory: ", "a higher decoder_mb"]);
    let raw = ended.errors.iter().find(|line| !line.starts_with("edgeclip: "));
    assert_eq!(raw, None, "all lines are ours");
}

#[test]
fn a_decoder_that_dies_each_second_costs_no_other_source_a_frame() {
    let seconds = std::env::var("EDGECLIP_FAULT_SECONDS").map_or(10, |text| text.parse().unwrap());
    let folder = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let url = camera.url();
    let mut running = watch(folder.path(), std::slice::from_ref(&url), &[]);
    let of_camera = |line: &Value| is(line, "frame") && line["source"] == url.as_str();
    let mut lines = running.until(of_camera);
    let (begun, mut killed, mut rounds) = (Instant::now(), 0, 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let decoders = children(running.pid()).into_iter().flat_map(children);
        rounds += 1;
        for decoder in decoders {
            // It crashes, or the kernel finds no memory left.
            let signal = ["SEGV", "KILL"][rounds % 2];
            let kill = Command::new("sh").args(["-c", "kill -$0 $1", signal, &decoder.to_string()]).output();
            killed += u64::from(kill.unwrap().status.success());
        }
        let until = Instant::now() + Duration::from_secs(1);
        lines.extend(running.until(|line| is(line, "frame") && Instant::now() >= until));
    }
    assert!(killed >= seconds / 4, "{killed} times in {seconds} s");
    // It comes back, and its numbers go on.
    let before = lines.iter().rev().find(|line| of_camera(line)).unwrap()["frame"].as_u64();
    lines.extend(running.until(|line| of_camera(line) && line["frame"].as_u64() > before));
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lines.extend(ended.lines.iter().cloned());
    assert!(unbroken(&lines) > 0);
    ended.told(&[&url, "the decoder died: signal 11; it is started again"]);
    ended.told(&[&url, "the decoder was killed, as when the system has no memory left; it is started again"]);
}

#[test]
fn its_processes_end_with_it() {
    let folder = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let mut running = watch(folder.path(), &[camera.url()], &[]);
    running.until(|line| is(line, "frame") && line["source"] == camera.url().as_str());
    let keepers = children(running.pid());
    let decoders: Vec<u32> = keepers.iter().copied().flat_map(children).collect();
    // One reads the camera, and one decodes its pictures.
    assert_eq!((keepers.len(), decoders.len()), (2, 2));
    running.signal("KILL");
    running.wait();
    let alive =
        |pid: &u32| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    crate::common::live::wait_until("over", || !keepers.iter().chain(&decoders).any(alive));
}
