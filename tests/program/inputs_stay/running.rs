//! What others do in its folders while `edgeclip run` is running.

use std::fs;
use std::os::unix::fs::symlink;

use tempfile::tempdir;

use crate::common::film::{Studio, jpeg};
use crate::common::live::{Running, wait_until};

#[test]
fn a_link_that_is_laid_while_it_runs_is_not_followed() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("victim"), "mine").unwrap();
    let cat = jpeg(&Studio::new().picture(Some(60)));
    let flags = ["--source", "-", "--prompt", "cat", "--annotate", "ann", "--csv", "all.csv"];
    let mut running = Running::new(path, &flags);
    running.send(&cat);
    running.until(|line| line["frame"] == 0);
    wait_until("a first frame", || path.join("ann/frame-00000001.jpg").exists());
    for number in 2..12 {
        symlink("../victim", path.join(format!("ann/.edgeclip-part-frame-{number:08}.jpg"))).unwrap();
    }
    symlink("../victim", path.join("ann/frame-00000003.jpg")).unwrap();
    fs::remove_file(path.join("all.csv")).unwrap();
    symlink("victim", path.join("all.csv")).unwrap();
    for number in 1..5 {
        running.send(&cat);
        running.until(|line| line["frame"] == number);
    }
    wait_until("a later frame", || path.join("ann/frame-00000005.jpg").exists());
    running.tells("ann: File exists");
    running.tells("ann: works again after 1 failure");
    running.tells("all.csv: a symbolic link has taken its place");
    running.no_more();
    assert_eq!(running.end().code, Some(0));
    assert_eq!(fs::read(path.join("victim")).unwrap(), b"mine");
}

#[test]
fn folders_that_are_deleted_while_it_runs_are_made_anew() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    let cat = jpeg(&Studio::new().picture(Some(60)));
    let mut running = Running::new(path, &["--source", "-", "--prompt", "cat", "--annotate", "deep/ann"]);
    for number in 0..3 {
        running.send(&cat);
        running.until(|line| line["frame"] == number);
        let file = path.join(format!("deep/ann/frame-{:08}.jpg", number + 1));
        wait_until("the frame's file", || file.exists());
        fs::remove_dir_all(path.join("deep")).unwrap();
    }
    running.tells("deep/ann: the folder was gone; it has been made anew");
    running.no_more();
    assert_eq!(running.end().code, Some(0));
}
