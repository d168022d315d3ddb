//! Whoever starts decoders for a sealed program is killed.

use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use super::can_seal;
use super::running::kill;
use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{Running, is, wait_until};
use crate::faults::apart::{children, unbroken};
use crate::faults::camera::Camera;

/// A sealed run of a film without end, a folder of pictures and this camera.
fn sealed(folder: &std::path::Path, camera: &Camera) -> Running {
    let picture = Studio::new().picture(Some(60));
    film(folder, "film.y4m", &vec![picture.clone(); 4], 8);
    fs::create_dir(folder.join("photos")).unwrap();
    fs::write(folder.join("photos/1.jpg"), jpeg(&picture)).unwrap();
    let again = |url: &str| format!("[[source]]\nurl = \"{url}\"\nrepeat = true\n");
    let config = format!("{}{}[[source]]\nurl = \"{}\"\n", again("film.y4m"), again("photos"), camera.url());
    fs::write(folder.join("run.toml"), config).unwrap();
    Running::new(folder, &["--seal", "--config", "run.toml", "--prompt", "cat"])
}

fn of(source: &str) -> impl Fn(&Value) -> bool {
    move |line| is(line, "frame") && line["source"] == source
}

#[test]
fn a_nursery_that_is_killed_is_started_again() {
    if !can_seal() {
        return;
    }
    let folder = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let mut running = sealed(folder.path(), &camera);
    let mut lines = running.until(of(&camera.url()));
    let supervisor = children(running.pid())[0];
    for _ in 0..3 {
        let nursery = children(supervisor);
        assert_eq!(nursery.len(), 1);
        kill("KILL", &nursery);
        wait_until("another", || children(supervisor).iter().any(|process| !nursery.contains(process)));
        lines.extend(running.until(of(&camera.url())));
        lines.extend(running.until(of("photos")));
    }
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    lines.extend(ended.lines.iter().cloned());
    assert!(unbroken(&lines) > 0);
    ended.told(&[&camera.url(), "works again after"]);
}

#[test]
fn without_its_supervisor_the_program_ends_and_says_so() {
    if !can_seal() {
        return;
    }
    let folder = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let mut running = sealed(folder.path(), &camera);
    running.until(of(&camera.url()));
    kill("KILL", &children(running.pid()));
    let ended = running.end();
    assert_eq!(ended.code, Some(2), "systemd starts it again: {ended:?}");
    ended.told(&["edgeclip: seal: found the process that starts decoders killed", "a restart"]);
}
