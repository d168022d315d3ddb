//! `edgeclip detect` and the pictures that it looks at.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{contents, photos, refused};
use crate::common::{Answer, edgeclip};

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
