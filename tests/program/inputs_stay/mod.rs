//! Nothing that the user has is replaced, deleted or reached through a link by what the program writes.

mod detect;
mod others;
mod run;
mod running;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};

use crate::common::{edgeclip, photo, picture};

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
