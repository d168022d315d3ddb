use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::{TempDir, tempdir};

use super::*;

/// Notes that are kept in `place`.
fn open(place: &TempDir, folder: &TempDir) -> Suspects {
    let suspects = Suspects::kept();
    suspects.lock().open(place.path(), folder.path()).unwrap();
    suspects
}

/// A file with these contents.
fn file(folder: &TempDir, name: &str, text: &str) -> (PathBuf, About) {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let about = About::of(&fs::metadata(&path).unwrap());
    (path, about)
}

fn names(place: &TempDir) -> Vec<OsString> {
    fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

/// As if the process were killed.
fn kill(suspects: Suspects) {
    drop(suspects);
}

#[test]
fn what_was_being_read_is_passed_over_until_it_changes() {
    let [place, folder] = [(); 2].map(|()| tempdir().unwrap());
    let (good, bad) = (file(&folder, "a.png", "good"), file(&folder, "b.png", "a longer name and text"));
    let first = open(&place, &folder);
    first.read(&good.0, good.1);
    first.done();
    first.read(&bad.0, bad.1);
    let mode = fs::metadata(place.path().join(&names(&place)[0])).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    kill(first);

    // It survives any number of runs that end in order, a new name, and another inode.
    for _ in 0..2 {
        let next = open(&place, &folder);
        assert!(next.pass_over(&bad.0, bad.1) && !next.pass_over(&good.0, good.1));
        assert!(next.pass_over(Path::new("c.png"), bad.1));
        assert!(next.pass_over(&bad.0, About { device: 0, inode: 0, ..bad.1 }));
        assert!(!next.pass_over(&bad.0, About { length: 1, ..bad.1 }));
        next.retain([(&good.0, &good.1), (&bad.0, &bad.1)].into_iter());
        next.read(&good.0, good.1);
        next.close();
    }
    // A second one that kills it.
    let next = open(&place, &folder);
    next.read(&good.0, good.1);
    kill(next);
    let next = open(&place, &folder);
    assert!(next.pass_over(&bad.0, bad.1) && next.pass_over(&good.0, good.1));

    // Once nothing is suspected any more, nothing is left.
    next.retain([(&bad.0, &About { time: (1, 1), ..bad.1 })].into_iter());
    assert!(!next.pass_over(&bad.0, bad.1));
    next.close();
    assert!(names(&place).is_empty());
    next.read(&bad.0, bad.1);
    assert!(names(&place).is_empty(), "it is closed");
}

#[test]
fn a_second_process_knows_what_is_passed_over_and_leaves_the_notes_alone() {
    let [place, folder] = [(); 2].map(|()| tempdir().unwrap());
    let (good, bad) = (file(&folder, "a.png", "good"), file(&folder, "b.png", "bad"));
    let first = open(&place, &folder);
    first.read(&bad.0, bad.1);
    kill(first);
    let first = open(&place, &folder);
    first.read(&good.0, good.1);
    let second = open(&place, &folder);
    assert!(second.pass_over(&bad.0, bad.1));
    assert!(!second.pass_over(&good.0, good.1), "the first is alive");
    second.read(&bad.0, bad.1);
    second.done();
    second.close();
    kill(first);
    assert!(open(&place, &folder).pass_over(&good.0, good.1));

    // Another folder has notes of its own.
    assert!(!open(&place, &place).pass_over(&good.0, good.1));
}

#[test]
fn a_damaged_note_is_an_empty_one_and_a_link_is_left_alone() {
    let [place, folder] = [(); 2].map(|()| tempdir().unwrap());
    let bad = file(&folder, "b.png", "bad");
    let suspects = open(&place, &folder);
    suspects.read(&bad.0, bad.1);
    let note = place.path().join(&names(&place)[0]);
    kill(suspects);
    let text = fs::read_to_string(&note).unwrap();
    fs::write(&note, format!("{text}\":[]}}\n")).unwrap();
    assert!(open(&place, &folder).pass_over(&bad.0, bad.1), "the end of longer notes");
    fs::write(&note, &text[..text.len() / 2]).unwrap();
    let suspects = open(&place, &folder);
    assert!(!suspects.pass_over(&bad.0, bad.1));
    suspects.close();

    let victim = folder.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    symlink(&victim, &note).unwrap();
    assert!(Suspects::kept().lock().open(place.path(), folder.path()).is_err());
    assert_eq!(fs::read_to_string(victim).unwrap(), "mine");
}

#[test]
fn state_is_kept_where_the_service_or_the_user_wants_it() {
    let place = |set: &[(&str, &str)]| {
        let found = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        place(found).map(|path| path.to_str().unwrap().to_owned())
    };
    let home = ("HOME", "/home/ann");
    assert_eq!(
        place(&[home, ("STATE_DIRECTORY", "/var/lib/edgeclip:/var/lib/b")]).unwrap(),
        "/var/lib/edgeclip"
    );
    assert_eq!(place(&[home, ("XDG_STATE_HOME", "/state")]).unwrap(), "/state/edgeclip");
    assert_eq!(
        place(&[home, ("XDG_STATE_HOME", ""), ("STATE_DIRECTORY", "")]).unwrap(),
        "/home/ann/.local/state/edgeclip"
    );
    assert_eq!(place(&[("HOME", "relative")]), None);
}
