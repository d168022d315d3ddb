//! `edgeclip run` and what lies where it is to write.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::tempdir;

use super::{contents, refused};
use crate::common::edgeclip;
use crate::common::film::{Studio, film, jpeg};

/// `fr/` with 24 frames of a user, named like edgeclip's own.
fn user_frames(folder: &Path) -> PathBuf {
    let frames = folder.join("fr");
    fs::create_dir(&frames).unwrap();
    for (number, frame) in (1..).zip(Studio::new().walk(24)) {
        fs::write(frames.join(format!("frame-{number:08}.jpg")), jpeg(&frame)).unwrap();
    }
    frames
}

#[test]
fn run_does_not_write_into_the_folder_that_it_reads() {
    let folder = tempdir().unwrap();
    user_frames(folder.path());
    symlink("fr", folder.path().join("link")).unwrap();
    for (source, folder_flag, output) in [
        ("fr", "--annotate", "fr"),
        ("fr/", "--annotate", "./fr"),
        ("fr", "--annotate", "link"),
        ("link", "--annotate", "link/../fr"),
        ("fr/*.jpg", "--annotate", "fr"),
        ("./link/frame-*", "--annotate", "fr"),
        ("fr", "--snapshot", "link/"),
        ("**/*.jpg", "--snapshot", "later"),
        ("fr", "--history", "./fr"),
    ] {
        let arguments =
            ["run", "--prompt", "cat", "--annotate-max", "10", "--source", source, folder_flag, output];
        refused(folder.path(), &arguments, &["pictures are looked at", "expected another folder for"]);
    }
    let follow = ["run", "--prompt", "cat", "--source", "fr", "--follow", "--annotate", "fr"];
    refused(folder.path(), &follow, &["pictures are looked at"]);
    let among = ["run", "--prompt", "cat", "--source", "fr", "--mjpeg", "link/all.jpg"];
    refused(folder.path(), &among, &["a picture among those of fr"]);
}

#[test]
fn run_leaves_frames_of_others_alone_and_goes_on_in_its_own_folder() {
    let folder = tempdir().unwrap();
    let before = contents(&user_frames(folder.path()));
    film(folder.path(), "walk.y4m", &Studio::new().walk(12), 10);
    let run = ["run", "--source", "walk.y4m", "--prompt", "cat", "--format", "none", "--annotate", "fr"];
    for last in [36, 48] {
        let answer =
            edgeclip(folder.path(), &[&run[..], &["--annotate-max", "5", "--csv", "all.csv"]].concat());
        assert_eq!(answer.code, Some(0), "{answer:?}");
        let after = contents(&folder.path().join("fr"));
        let new: Vec<_> = after.keys().filter(|name| !before.contains_key(*name)).cloned().collect();
        let expected: Vec<_> =
            (last - 4..=last).map(|n| folder.path().join(format!("fr/frame-{n:08}.jpg"))).collect();
        assert_eq!(new, expected);
        assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    }
    // The second run has gone on in the table of the first.
    let table = fs::read_to_string(folder.path().join("all.csv")).unwrap();
    assert_eq!(table.lines().filter(|line| line.starts_with("time,")).count(), 1);
    assert_eq!(table.lines().filter(|line| line.contains(",appear,")).count(), 2, "{table}");
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("all.csv"), mode("fr/frame-00000048.jpg")), (0o600, 0o600));
}

#[test]
fn run_appends_to_its_own_files_only() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    film(path, "walk.y4m", &Studio::new().walk(3), 10);
    fs::hard_link(path.join("walk.y4m"), path.join("same.y4m")).unwrap();
    fs::write(path.join("mine.csv"), "a,b\n1,2\n").unwrap();
    fs::write(path.join("film.mjpeg"), jpeg(&Studio::new().picture(None))).unwrap();
    fs::write(path.join("words.txt"), "cat\n").unwrap();
    fs::write(path.join("edgeclip.toml"), "threshold = 0.3\n").unwrap();
    symlink("mine.csv", path.join("link.csv")).unwrap();
    symlink("nowhere.csv", path.join("dangling.csv")).unwrap();
    let run = [
        "run",
        "--config",
        "edgeclip.toml",
        "--source",
        "walk.y4m",
        "--prompt",
        "@words.txt",
        "--format",
        "none",
    ];
    for (flag, output, found) in [
        ("--csv", "./walk.y4m", "the input walk.y4m"),
        ("--mjpeg", "same.y4m", "the input walk.y4m"),
        ("--csv", "words.txt", "the input"),
        ("--csv", "edgeclip.toml", "the input"),
        ("--csv", "mine.csv", "a file that edgeclip did not write"),
        ("--csv", "link.csv", "a symbolic link"),
        ("--csv", "dangling.csv", "a symbolic link"),
        ("--mjpeg", "film.mjpeg", "a file that edgeclip did not write"),
        ("--mjpeg", "mine.csv", "a file that edgeclip did not write"),
    ] {
        refused(path, &[&run[..], &[flag, output]].concat(), &[&format!("found {found}"), "expected "]);
    }
    for _ in 0..2 {
        let answer = edgeclip(path, &[&run[..], &["--csv", "own.csv", "--mjpeg", "own.mjpeg"]].concat());
        assert_eq!(answer.code, Some(0), "{answer:?}");
    }
    let pictures = fs::read(path.join("own.mjpeg")).unwrap();
    assert_eq!(pictures.windows(3).filter(|bytes| *bytes == [0xff, 0xd8, 0xff]).count(), 6);
    let answer =
        edgeclip(path, &[&run[..], &["--csv", "link.csv", "--mjpeg", "film.mjpeg", "--force"]].concat());
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(fs::read_to_string(path.join("mine.csv")).unwrap(), "a,b\n1,2\n");
    assert!(fs::read_to_string(path.join("link.csv")).unwrap().starts_with("time,source,"));
}
