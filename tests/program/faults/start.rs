//! Cameras that do not answer while the program starts.

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use tempfile::tempdir;

use crate::common::film::{Studio, film};
use crate::common::live::{PATIENCE, Running, is};

/// How long the first line takes.
fn first_line(sources: &[&str]) -> Duration {
    let folder = tempdir().unwrap();
    film(folder.path(), "film.y4m", &vec![Studio::new().picture(Some(60)); 3], 8);
    let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let all = ["film.y4m"].into_iter().chain(sources.iter().copied());
    let flags: Vec<&str> = all.flat_map(|source| ["--source", source]).collect();
    let begun = Instant::now();
    let mut running = Running::new(folder.path(), &[&flags[..], &["--prompt", "cat"]].concat());
    running.until(|line| is(line, "frame"));
    let took = begun.elapsed();
    let mut heard = [0; 32];
    let length = socket.recv(&mut heard).unwrap();
    assert_eq!(&heard[..length], b"READY=1");
    running.until(|line| line["frame"] == 2);
    if !sources.is_empty() {
        // They are waited for.
        running.signal("TERM");
    }
    assert_eq!(running.wait().code(), Some(0));
    took
}

#[test]
fn cameras_that_stay_silent_delay_no_other() {
    // The system accepts; nobody answers.
    let silent = [(); 3].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    let port = |i: usize| silent[i].local_addr().unwrap().port();
    let urls = [
        format!("rtsp://127.0.0.1:{}/a", port(0)),
        format!("rtsp://127.0.0.1:{}/b", port(1)),
        format!("http://127.0.0.1:{}/c", port(2)),
    ];
    let alone = first_line(&[]);
    let beside = first_line(&urls.each_ref().map(String::as_str));
    // One camera has 10 s to answer.
    assert!(beside < alone * 2 + Duration::from_secs(2), "{beside:?}, alone {alone:?}");
}
