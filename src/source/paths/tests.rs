use std::fs;

use tempfile::{TempDir, tempdir};

use super::*;

/// A folder with empty files of these names.
fn folder(names: &[&str]) -> TempDir {
    let folder = tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }
    folder
}

/// What `argument` in `folder` names there, or the error.
fn names(folder: &TempDir, argument: &str) -> Vec<String> {
    expand(&[folder.path().join(argument)])
        .into_iter()
        .map(|found| match found {
            Ok(path) => path.strip_prefix(folder.path()).unwrap().display().to_string(),
            Err(error) => error.to_string(),
        })
        .collect()
}

#[test]
fn folders_and_patterns_count_as_people_do() {
    let folder = folder(&["10.jpg", "9.JPG", "1.jpg", "frame-0002.png", "frame-0010.png"]);
    let all = ["1.jpg", "9.JPG", "10.jpg", "frame-0002.png", "frame-0010.png"];
    assert_eq!(names(&folder, ""), all);
    assert_eq!(names(&folder, "*.jpg"), ["1.jpg", "10.jpg"]);
}

#[test]
fn what_systems_leave_is_passed_over() {
    let folder = folder(&[
        "a.jpg",
        "._a.jpg",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg",
        "__MACOSX/._a.jpg",
        ".hidden.jpg",
        "b.jpg.part",
        "c.jpg.tmp",
        "d.crdownload",
        "IMG_1.HEIC",
        "e.jpe",
        "notes.txt",
    ]);
    fs::create_dir(folder.path().join("folder.jpg")).unwrap();
    assert_eq!(names(&folder, ""), ["a.jpg", "e.jpe"]);
    assert_eq!(names(&folder, "*.jpg"), ["a.jpg"]);
    assert_eq!(names(&folder, ".*.jpg"), ["._a.jpg", ".hidden.jpg"]);
}

#[test]
fn a_folder_of_folders_stands_for_their_pictures() {
    let camera = folder(&[
        "DCIM/101CANON/IMG_2.JPG",
        "DCIM/100CANON/IMG_10.JPG",
        "DCIM/100CANON/IMG_9.JPG",
        "DCIM/@eaDir/x.jpg",
        "MISC/AUTPRINT.MRK",
    ]);
    std::os::unix::fs::symlink(camera.path(), camera.path().join("DCIM/round")).unwrap();
    let expected = ["DCIM/100CANON/IMG_9.JPG", "DCIM/100CANON/IMG_10.JPG", "DCIM/101CANON/IMG_2.JPG"];
    assert_eq!(names(&camera, ""), expected);
    assert_eq!(names(&camera, "DCIM"), expected);
    let album = folder(&["a.jpg", "edited/a.jpg"]);
    assert_eq!(names(&album, ""), ["a.jpg"]);
}

#[test]
fn a_folder_of_foreign_pictures_says_what_converts_them() {
    let phone = folder(&["IMG_1.HEIC", "IMG_2.heic"]);
    let line = names(&phone, "").join("");
    assert!(
        line.contains("found a folder with 2 files of HEIC") && line.contains("`heif-convert FILE"),
        "{line}"
    );
    let line = names(&folder(&["x.txt"]), "").join("");
    assert!(line.contains("a folder without pictures, expected files ending in jpg"), "{line}");
}

#[test]
fn folders_that_are_named_like_patterns_are_meant_as_they_are() {
    let folder =
        folder(&["Photos [2024]/1.jpg", "Photos [2024]/2.png", "Photos [2024]/in*/3.jpg", "Photos 2/4.jpg"]);
    assert_eq!(names(&folder, "Photos [2024]/*.jpg"), ["Photos [2024]/1.jpg"]);
    assert_eq!(names(&folder, "Photos [2024]/[12].*"), ["Photos [2024]/1.jpg", "Photos [2024]/2.png"]);
    assert_eq!(names(&folder, "Photos [2024]/in*/*"), ["Photos [2024]/in*/3.jpg"]);
    assert_eq!(names(&folder, "Photos [2]/*.jpg"), ["Photos 2/4.jpg"]);
    let line = names(&folder, "Photos [9]/*.jpg").join("");
    assert!(line.contains("a pattern without matches"), "{line}");
}
