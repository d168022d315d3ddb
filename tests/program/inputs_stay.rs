//! Nothing that the user has is replaced, deleted or reached through a link by what the program writes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};

use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{Running, wait_until};
use crate::common::{Answer, edgeclip, photo, picture};

/// Every file below a folder with its contents, links with their targets.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_symlink() {
            found.insert(path.clone(), fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
        } else if kind.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// Asserts that a command is refused with these parts, and leaves everything in the folder as it was.
fn refused(folder: &Path, arguments: &[&str], parts: &[&str]) {
    let before = contents(folder);
    edgeclip(folder, arguments).refuses(parts);
    assert!(contents(folder) == before, "{arguments:?} has changed {folder:?}");
}

/// `photos/` with `x.jpg`, `x.png` and `y.jpg`, `link` to it, `hard.png` and `soft.png` to files in it.
fn photos() -> TempDir {
    let folder = tempdir().unwrap();
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).unwrap();
    photo(&photos.join("x.jpg"));
    picture(&photos.join("x.png"), 40, 30);
    picture(&photos.join("y.jpg"), 50, 30);
    symlink("photos", folder.path().join("link")).unwrap();
    symlink("photos/x.png", folder.path().join("soft.png")).unwrap();
    fs::hard_link(photos.join("x.png"), folder.path().join("hard.png")).unwrap();
    folder
}

fn detect(folder: &Path, arguments: &[&str]) -> Answer {
    edgeclip(folder, &[&["detect", "--prompt", "person", "--threshold", "0"], arguments].concat())
}

#[test]
fn detect_does_not_annotate_into_the_folder_that_it_reads() {
    let folder = photos();
    let parts = [
        "a folder whose pictures are looked at",
        "another folder for --annotate, for example photos/annotated",
    ];
    let detect = ["detect", "--prompt", "person"];
    refused(folder.path(), &[&detect[..], &["photos", "--annotate", "photos"]].concat(), &parts[..1]);
    refused(
        folder.path(),
        &[&detect[..], &["photos/", "--annotate", "photos/"]].concat(),
        &["photos/annotated"],
    );
    for (input, output) in [
        ("photos", "./photos"),
        ("photos", "link"),
        ("link", "photos/."),
        ("link/../photos", "link/"),
        ("photos/*", "photos"),
        ("link/*.png", "photos"),
    ] {
        for force in [&[][..], &["--force"]] {
            let arguments = [&detect[..], &[input, "--annotate", output], force].concat();
            refused(folder.path(), &arguments, &["pictures are looked at", "another folder for --annotate"]);
        }
    }
}

#[test]
fn detect_never_writes_over_an_input_and_over_other_files_only_on_request() {
    let folder = photos();
    let path = folder.path();
    for output in ["photos/x.png", "./link/x.png", "hard.png", "soft.png"] {
        for force in [&[][..], &["--force"]] {
            let arguments =
                [&["detect", "--prompt", "person", "photos/x.png", "--annotate", output], force].concat();
            refused(path, &arguments, &["found the input", "expected another file for --annotate"]);
        }
    }
    fs::create_dir(path.join("out")).unwrap();
    fs::write(path.join("out/x.png"), "mine").unwrap();
    fs::write(path.join("mine.png"), "mine").unwrap();
    symlink("mine.png", path.join("to-mine.png")).unwrap();
    for (output, found) in [
        ("out", "out/x.png: found a file that is there already"),
        ("mine.png", "found a file that is there already"),
        ("to-mine.png", "found a symbolic link"),
    ] {
        let arguments = ["detect", "--prompt", "person", "photos/x.jpg", "--annotate", output];
        refused(path, &arguments, &[found, "--force to replace"]);
    }
    // On request the link itself is replaced, not what it leads to.
    for output in ["out", "to-mine.png"] {
        detect(path, &["photos/x.jpg", "--annotate", output, "--force"]).ok();
    }
    assert_eq!(fs::read(path.join("mine.png")).unwrap(), b"mine");
    for written in ["out/x.png", "to-mine.png"] {
        let written = path.join(written);
        assert_eq!(image::open(&written).unwrap().into_rgb8().dimensions(), (512, 512));
        let about = fs::symlink_metadata(&written).unwrap();
        assert!(about.is_file() && about.permissions().mode() & 0o777 == 0o600, "{about:?}");
    }
    // Single pictures may have their annotated version beside them; the name of an input is passed over.
    let before = contents(&path.join("photos"));
    detect(path, &["photos/x.jpg", "photos/x.png", "--annotate", "link"]).ok();
    let after = contents(&path.join("photos"));
    assert!(before.iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    let new: Vec<_> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert_eq!(new, [&path.join("photos/x-2.png"), &path.join("photos/x-3.png")]);
}

#[test]
fn embed_and_vocab_build_replace_files_on_request_only_and_never_an_input() {
    let folder = photos();
    let path = folder.path();
    fs::write(path.join("words.txt"), "dog\ncat\n").unwrap();
    fs::write(path.join("boxes.json"), "{}").unwrap();
    fs::write(path.join("mine"), "mine").unwrap();
    symlink("mine", path.join("to-mine")).unwrap();
    symlink("words.txt", path.join("to-words")).unwrap();
    let embed = ["embed", "photos/x.jpg", "--boxes", "boxes.json", "--out"];
    let vocab = ["vocab", "build", "--prompt", "@words.txt", "--out"];
    for (command, output, found) in [
        (&embed[..], "link/x.jpg", "the input photos/x.jpg"),
        (&embed, "./boxes.json", "the input boxes.json"),
        (&vocab, "./words.txt", "the input words.txt"),
        (&vocab, "to-words", "the input words.txt"),
    ] {
        refused(path, &[command, &[output]].concat(), &[found, "expected another file for --out"]);
        refused(path, &[command, &[output, "--force"]].concat(), &[found]);
    }
    for command in [&embed[..], &vocab] {
        let expected = "expected a free name for --out, or --force to replace it";
        refused(path, &[command, &["mine"]].concat(), &["found a file that is there already", expected]);
        refused(path, &[command, &["to-mine"]].concat(), &["found a symbolic link", expected]);
        refused(path, &[command, &["photos"]].concat(), &["found a folder"]);
        edgeclip(path, &[command, &["mine", "--force"]].concat());
        assert!(fs::metadata(path.join("mine")).unwrap().len() > 1000, "{command:?}");
        fs::write(path.join("mine"), "mine").unwrap();
    }
    assert_eq!(edgeclip(path, &[&vocab[..], &["/dev/null"]].concat()).code, Some(0));
}

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
