use std::fs;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::report::samples::events;
use crate::sinks::tests::{frame_report, on_a_small_disk, picture_of, show};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A report so many seconds after the first, in which person 7 enters the gate.
fn entering(second: u64) -> FrameReport {
    let time = frame_report().time + Duration::from_secs(second);
    FrameReport { time, events: vec![events().remove(2)], ..frame_report() }
}

const FIRST: &str = "2026-11-22T06-00-00.123Z_enter_gate-east_person_7";

#[test]
fn an_event_leaves_a_picture_and_its_description() {
    let folder = tempfile::tempdir().unwrap();
    let options = SnapshotOptions { plain: true, ..SnapshotOptions::new(folder.path().join("a/b")) };
    let (mut sink, report) = (Snapshots::new(options).unwrap(), entering(0));
    show(&mut sink, &report).unwrap();
    let folder = folder.path().join("a/b");
    assert_eq!(names(&folder), ["jpg", "json", "plain.jpg"].map(|ending| format!("{FIRST}.{ending}")));
    let open = |ending: &str| image::open(folder.join(format!("{FIRST}.{ending}"))).unwrap().into_rgb8();
    let grey = |pixel: &image::Rgb<u8>| pixel.0.iter().zip([90, 100, 110]).all(|(a, b)| a.abs_diff(b) < 8);
    assert!(open("plain.jpg").pixels().all(grey));
    assert!(!open("jpg").pixels().all(grey));
    let json: Value =
        serde_json::from_slice(&fs::read(folder.join(format!("{FIRST}.json"))).unwrap()).unwrap();
    for (key, expected) in [
        ("name", Value::from(FIRST)),
        ("pictures", [format!("{FIRST}.jpg"), format!("{FIRST}.plain.jpg")].to_vec().into()),
        ("event", "enter".into()),
        ("zone", "gate, \"east\"".into()),
        ("track", 7.into()),
        ("frame", 42.into()),
        ("width", 320.into()),
    ] {
        assert_eq!(json[key], expected, "{key}");
    }
    assert_eq!(json["tracks"].as_array().unwrap().len(), 2);
}

#[test]
fn only_chosen_kinds_are_kept_and_names_are_not_given_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = SnapshotOptions::new(folder.path());
    let mut sink = Snapshots::new(options.clone()).unwrap();
    show(&mut sink, &FrameReport { events: events(), ..frame_report() }).unwrap();
    let kinds = |names: Vec<String>| -> Vec<String> {
        let pictures = names.into_iter().filter(|name| name.ends_with(".jpg"));
        pictures.map(|name| name.split('_').nth(1).unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(names(folder.path())), ["appear", "cross", "enter", "state", "state"]);
    options.kinds = [EventKind::Tag].into();
    let mut sink = Snapshots::new(options).unwrap();
    let rain = events().remove(9);
    show(&mut sink, &FrameReport { events: vec![rain.clone(), rain], ..frame_report() }).unwrap();
    let tags: Vec<String> = names(folder.path()).into_iter().filter(|name| name.contains("_tag_")).collect();
    let stem = "2026-11-22T06-00-00.123Z_tag_rain";
    assert_eq!(tags, ["-2.jpg", "-2.json", ".jpg", ".json"].map(|ending| format!("{stem}{ending}")));
}

#[test]
fn without_an_event_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = Snapshots::new(SnapshotOptions::new(folder.path())).unwrap();
    show(&mut sink, &frame_report()).unwrap();
    assert!(names(folder.path()).is_empty());
}

#[test]
fn the_oldest_go_and_files_of_others_stay_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut options = SnapshotOptions::new(path);
    show(&mut Snapshots::new(options.clone()).unwrap(), &entering(0)).unwrap();
    let one: u64 = names(path).iter().map(|name| fs::metadata(path.join(name)).unwrap().len()).sum();
    // Files of the user: a copy under a name of the same form, a picture without description, a file of
    // another kind.
    let copy = FIRST.replace("2026", "1999");
    fs::copy(path.join(format!("{FIRST}.jpg")), path.join(format!("{copy}.jpg"))).unwrap();
    fs::copy(path.join(format!("{FIRST}.json")), path.join(format!("{copy}.json"))).unwrap();
    fs::write(path.join("1998-01-01T00-00-00.000Z_tag_x.jpg"), "mine").unwrap();
    fs::write(path.join("1998-01-01T00-00-00.000Z_tag_y.json"), "{}").unwrap();
    fs::write(path.join("notes.txt"), "mine").unwrap();
    fs::write(path.join(".edgeclip-part-0123456789abcdef"), "{\"type\"").unwrap();
    let others = names(path).iter().filter(|name| !name.starts_with("2026")).count() - 1;

    options.most_bytes = 3 * one + one / 2;
    for second in 1..9 {
        show(&mut Snapshots::new(options.clone()).unwrap(), &entering(second)).unwrap();
    }
    let (own, left): (Vec<String>, Vec<String>) =
        names(path).into_iter().partition(|name| name.starts_with("2026"));
    let seconds: Vec<&str> = own.iter().map(|name| &name[17..19]).collect();
    assert_eq!(seconds, ["06", "06", "07", "07", "08", "08"]);
    assert_eq!(left.len(), others, "{left:?}");

    options.most_bytes = one / 2;
    let error = show(&mut Snapshots::new(options).unwrap(), &entering(9)).unwrap_err().to_string();
    assert!(error.contains("found a snapshot of ") && error.contains("the limit of the folder"), "{error}");
    assert_eq!(names(path).len(), own.len() + others);
}

#[test]
fn a_description_that_is_longer_than_any_of_ours_belongs_to_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let other = FIRST.replace("person", "cat");
    let json = format!(r#"{{"type":"snapshot","name":"{other}","x":"{}"}}"#, "y".repeat(17 << 20));
    fs::write(folder.path().join(format!("{other}.json")), json).unwrap();
    // It would be deleted first, as the one that was written first.
    let options = SnapshotOptions { most_bytes: 30_000, ..SnapshotOptions::new(folder.path()) };
    let mut sink = Snapshots::new(options).unwrap();
    for second in 0..20 {
        show(&mut sink, &entering(second)).unwrap();
    }
    let names = names(folder.path());
    assert!(
        names.contains(&format!("{other}.json")) && !names.contains(&format!("{FIRST}.json")),
        "{names:?}"
    );
}

#[test]
fn a_flood_of_events_does_not_fill_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let options = SnapshotOptions { per_minute: 3, ..SnapshotOptions::new(folder.path()) };
    let mut sink = Snapshots::new(options).unwrap();
    let (start, picture) = (Instant::now(), picture_of(&entering(0), [90, 100, 110]));
    let mut kept = |second, of_frame| {
        let before = names(folder.path()).len();
        let now = start + Duration::from_secs(second);
        sink.take_at(now, &entering(of_frame), Some(&picture)).unwrap();
        names(folder.path()).len() - before
    };
    // What the frames say, and a clock that is set, make no difference: a day each, backwards, standing still.
    let times = [0, 86_400, 2 * 86_400, 3 * 86_400, 4 * 86_400];
    let found: Vec<usize> =
        [0, 10, 20, 30, 59].into_iter().zip(times).map(|(now, time)| kept(now, time)).collect();
    assert_eq!(found, [2, 2, 2, 0, 0]);
    assert_eq!([(60, 60), (61, 5), (70, 5)].map(|(now, time)| kept(now, time)), [2, 0, 2]);
}

#[test]
fn an_event_whose_pixels_were_left_out_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = Snapshots::new(SnapshotOptions::new(folder.path())).unwrap();
    sink.take(&entering(0), None).unwrap();
    assert!(names(folder.path()).is_empty());
}

/// Takes a snapshot `second` seconds after the first, and renames it as if the clock had said another year.
fn in_another_year(path: &Path, second: u64, year: &str) {
    show(&mut Snapshots::new(SnapshotOptions::new(path)).unwrap(), &entering(second)).unwrap();
    let taken = FIRST.replace("06-00-00", &format!("06-00-{second:02}"));
    let renamed = taken.replace("2026", year);
    for ending in ["jpg", "json"] {
        fs::rename(path.join(format!("{taken}.{ending}")), path.join(format!("{renamed}.{ending}"))).unwrap();
    }
    let json = path.join(format!("{renamed}.json"));
    fs::write(&json, fs::read_to_string(&json).unwrap().replace("2026-", &format!("{year}-"))).unwrap();
}

#[test]
fn the_oldest_is_what_was_written_first_whatever_the_clock_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // The clock was far ahead, then in 1970, then right.
    in_another_year(path, 0, "2036");
    in_another_year(path, 1, "2036");
    in_another_year(path, 2, "1970");
    let one: u64 =
        names(path).iter().map(|name| fs::metadata(path.join(name)).unwrap().len()).sum::<u64>() / 3;
    let options = SnapshotOptions { most_bytes: 3 * one + one / 2, ..SnapshotOptions::new(path) };
    let mut left = Vec::new();
    for second in 10..14 {
        show(&mut Snapshots::new(options.clone()).unwrap(), &entering(second)).unwrap();
        let pictures = names(path).into_iter().filter(|name| name.ends_with(".jpg"));
        left.push(pictures.map(|name| format!("{} {}", &name[..4], &name[17..19])).collect::<Vec<_>>());
    }
    let expected = [
        ["1970 02", "2026 10", "2036 01"],
        ["1970 02", "2026 10", "2026 11"],
        ["2026 10", "2026 11", "2026 12"],
        ["2026 11", "2026 12", "2026 13"],
    ];
    assert_eq!(left, expected);
}

#[test]
fn snapshots_that_somebody_has_changed_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut options = SnapshotOptions::new(path);
    for second in 0..2 {
        show(&mut Snapshots::new(options.clone()).unwrap(), &entering(second)).unwrap();
    }
    fs::write(path.join(format!("{FIRST}.jpg")), "my crop").unwrap();
    let of = |name: &str| fs::metadata(path.join(name)).unwrap().len();
    let one: u64 = names(path).iter().filter(|name| name.contains("00-01")).map(|name| of(name)).sum();
    options.most_bytes = one + one / 2;
    for second in 2..5 {
        show(&mut Snapshots::new(options.clone()).unwrap(), &entering(second)).unwrap();
    }
    let seconds: Vec<String> = names(path).iter().map(|name| name[17..19].to_owned()).collect();
    assert_eq!(seconds, ["00", "00", "04", "04"]);
    assert_eq!(fs::read(path.join(format!("{FIRST}.jpg"))).unwrap(), b"my crop");
}

#[test]
fn files_are_private_and_a_folder_that_has_gone_is_made_anew() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/events");
    let mut sink = Snapshots::new(SnapshotOptions::new(&path)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for second in 0..2 {
        show(&mut sink, &entering(second)).unwrap();
        assert_eq!(names(&path).len(), 2);
        assert!(names(&path).iter().all(|name| mode(&path.join(name)) == 0o600));
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o700, 0o700));
        fs::remove_dir_all(folder.path().join("a")).unwrap();
    }
    assert!(!sink.was_idle());
    show(&mut sink, &frame_report()).unwrap();
    assert!(sink.was_idle());
}

#[test]
fn on_a_full_disk_the_oldest_make_room() {
    let test = "sinks::snapshots::tests::on_a_full_disk_the_oldest_make_room";
    on_a_small_disk(test, |disk| {
        fs::write(disk.join("theirs"), vec![0; 100 << 10]).unwrap();
        let mut sink = Snapshots::new(SnapshotOptions::new(disk)).unwrap();
        for second in 0..60 {
            show(&mut sink, &entering(second)).unwrap();
        }
        let left = names(disk);
        let own = left.iter().filter(|name| name.starts_with("2026")).count();
        assert!((6..60).contains(&own) && left.contains(&"theirs".to_owned()), "{left:?}");
        assert!(left.iter().any(|name| name.contains("06-00-59")), "{left:?}");
        let free = crate::system::Folder::open(disk).unwrap().space().unwrap();
        assert!(free.available * 100 >= free.total * 3, "{free:?}");
    });
}

#[test]
fn a_full_disk_is_an_error_that_leaves_nothing_and_passes() {
    let test = "sinks::snapshots::tests::a_full_disk_is_an_error_that_leaves_nothing_and_passes";
    on_a_small_disk(test, fill_and_empty);
}

fn fill_and_empty(disk: &Path) {
    let ballast = disk.join("ballast");
    let mut sink = Snapshots::new(SnapshotOptions::new(disk)).unwrap();
    // Noise: the JPEG has tens of kilobytes.
    let (big, mut picture) = (entering(0), picture_of(&entering(0), [0; 3]));
    let mut state = 1u32;
    for byte in &mut picture.data {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    fs::write(&ballast, vec![0; 200 << 10]).unwrap();
    for _ in 0..3 {
        let error = sink.take(&big, Some(&picture)).unwrap_err();
        assert!(error.io_error().and_then(std::io::Error::raw_os_error) == Some(libc::ENOSPC), "{error}");
        assert_eq!(names(disk), ["ballast"]);
    }
    fs::remove_file(&ballast).unwrap();
    sink.take(&big, Some(&picture)).unwrap();
    assert_eq!(names(disk), [format!("{FIRST}.jpg"), format!("{FIRST}.json")]);
    assert!(image::open(disk.join(format!("{FIRST}.jpg"))).is_ok());
}
