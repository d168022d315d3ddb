use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::report::ShownBoxes;
use crate::sinks::tests::{frame_report, on_a_small_disk, picture_of, show};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn sink(folder: &Path, most: usize) -> Frames {
    let kept = Kept { most: NonZeroUsize::new(most).unwrap(), free: 0 };
    Frames::new(folder, kept, Painter::new(ShownBoxes::Tracks)).unwrap()
}

fn numbered(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(file_name).collect()
}

#[test]
fn the_newest_frames_stay_and_numbers_go_on_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let mut first = sink(&path, 3);
    for _ in 0..5 {
        show(&mut first, &frame_report()).unwrap();
    }
    assert_eq!(names(&path), numbered(3..6));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join(file_name(3)))), (0o700, 0o600));
    for other in ["frame-1.jpg", "frame-00000001.txt", "frame-0000000x.jpg", "my-00000001.jpg"] {
        fs::write(path.join(other), "mine").unwrap();
    }
    let mut second = sink(&path, 3);
    for _ in 0..2 {
        show(&mut second, &frame_report()).unwrap();
    }
    let own: Vec<String> =
        names(&path).into_iter().filter(|name| number(OsStr::new(name)).is_some()).collect();
    assert_eq!(own, numbered(5..8));
    assert_eq!(names(&path).len(), 3 + 4);
}

#[test]
fn frames_of_others_are_neither_counted_nor_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // A user's frames under the names that ours have: made elsewhere, renamed, changed.
    let mut earlier = sink(&path.join("earlier"), 9);
    for _ in 0..3 {
        show(&mut earlier, &frame_report()).unwrap();
    }
    let out = path.join("out");
    fs::create_dir(&out).unwrap();
    let bytes = fs::read(path.join("earlier").join(file_name(1))).unwrap();
    let mut changed = fs::read(path.join("earlier").join(file_name(3))).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(out.join(file_name(2)), &bytes).unwrap();
    fs::write(out.join(file_name(3)), &changed).unwrap();
    fs::write(out.join(file_name(4)), "not a picture").unwrap();
    fs::write(path.join("victim"), "mine").unwrap();
    symlink("../victim", out.join(file_name(5))).unwrap();
    symlink("../victim", out.join(file_name(6))).unwrap();
    let mut sink = sink(&out, 2);
    for _ in 0..5 {
        show(&mut sink, &frame_report()).unwrap();
    }
    assert_eq!(names(&out), numbered([2, 3, 4, 5, 6, 10, 11]));
    assert_eq!(fs::read(out.join(file_name(2))).unwrap(), bytes);
    assert_eq!(fs::read(out.join(file_name(3))).unwrap(), changed);
    assert_eq!(fs::read(path.join("victim")).unwrap(), b"mine");
}

#[test]
fn two_runs_in_one_folder_lose_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (mut one, mut other) = (sink(folder.path(), 9), sink(folder.path(), 9));
    show(&mut one, &frame_report()).unwrap();
    let error = show(&mut other, &frame_report()).unwrap_err().to_string();
    assert!(error.contains("File exists"), "{error}");
    show(&mut other, &frame_report()).unwrap();
    assert_eq!(names(folder.path()), numbered(1..3));
}

#[test]
fn the_largest_numbers_are_not_continued() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["frame-18446744073709551615.jpg", "frame-99999999999999999999999.jpg", "frame-00000007.jpg"]
    {
        fs::write(folder.path().join(name), "mine").unwrap();
    }
    show(&mut sink(folder.path(), 3), &frame_report()).unwrap();
    assert!(folder.path().join(file_name(8)).exists(), "{:?}", names(folder.path()));
}

#[test]
fn frames_are_annotated_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path(), 3);
    show(&mut sink, &frame_report()).unwrap();
    let back = image::open(folder.path().join(file_name(1))).unwrap().into_rgb8();
    assert_eq!(back.dimensions(), (320, 240));
    let report = frame_report();
    let plain = picture_of(&report, [90, 100, 110]).data;
    let mut expected = plain.clone();
    Painter::new(ShownBoxes::Tracks).annotate(&mut expected, 320, 240, &report);
    let difference = |other: &[u8]| -> u64 {
        back.as_raw().iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b))).sum()
    };
    let (drawn, bare) = (difference(&expected), difference(&plain));
    assert!(drawn * 4 < bare, "{drawn} {bare}");
}

#[test]
fn a_file_that_the_user_has_deleted_is_not_missed_and_a_lost_folder_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/out");
    let mut sink = sink(&path, 3);
    for _ in 0..3 {
        show(&mut sink, &frame_report()).unwrap();
    }
    fs::remove_file(path.join(file_name(1))).unwrap();
    show(&mut sink, &frame_report()).unwrap();
    assert_eq!(names(&path), numbered(2..5));
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    show(&mut sink, &frame_report()).unwrap();
    assert_eq!(names(&path), numbered([5]));
    // In its place a link to a folder of somebody else's.
    fs::remove_dir_all(&path).unwrap();
    fs::create_dir(folder.path().join("theirs")).unwrap();
    symlink("../theirs", &path).unwrap();
    assert!(show(&mut sink, &frame_report()).is_err());
    assert!(names(&folder.path().join("theirs")).is_empty());
}

#[test]
fn a_link_under_a_guessed_name_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ann");
    let mut sink = sink(&path, 9);
    fs::write(folder.path().join("victim"), "mine").unwrap();
    symlink("../victim", path.join(".edgeclip-part-frame-00000001.jpg")).unwrap();
    symlink("../victim", path.join(file_name(1))).unwrap();
    assert!(show(&mut sink, &frame_report()).is_err());
    show(&mut sink, &frame_report()).unwrap();
    assert_eq!(fs::read(folder.path().join("victim")).unwrap(), b"mine");
    assert!(fs::symlink_metadata(path.join(file_name(2))).unwrap().is_file());
}

#[test]
fn on_a_full_disk_the_oldest_make_room() {
    let test = "sinks::frames::tests::on_a_full_disk_the_oldest_make_room";
    on_a_small_disk(test, |disk| {
        fs::write(disk.join("theirs"), vec![0; 100 << 10]).unwrap();
        let mut sink = sink(disk, 1000);
        for _ in 0..100 {
            show(&mut sink, &frame_report()).unwrap();
        }
        let names = names(disk);
        assert!(names.len() > 5 && names.len() < 60, "{names:?}");
        assert!(names.contains(&file_name(100)) && names.contains(&"theirs".to_owned()), "{names:?}");
    });
}
