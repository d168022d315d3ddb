use std::fs;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use super::*;

const CAT: &str = "tests/data/cat.jpg";
const COFFEE: &str = "tests/data/coffee.jpg";

/// What came of a file.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// Width of its picture.
    Frame(u32),
    Broken(String),
}

/// The next thing that is not [`Piece::Nothing`].
fn next(follow: &mut Follow) -> Seen {
    let start = Instant::now();
    loop {
        match follow.next().unwrap() {
            Piece::Frame(cutout) => {
                let super::super::live::Encoding::Raw { width, .. } = cutout.encoding else {
                    panic!("decoded")
                };
                return Seen::Frame(width);
            }
            Piece::Broken(why) => return Seen::Broken(why),
            Piece::Nothing => assert!(start.elapsed() < Duration::from_secs(60), "nothing came"),
            Piece::End => panic!("a folder has no end"),
        }
    }
}

/// Nothing comes in three checks of the folder.
fn assert_silent(follow: &mut Follow) {
    for _ in 0..3 {
        follow.due = Instant::now();
        assert_eq!(follow.next().unwrap(), Piece::Nothing);
    }
}

/// Puts a file in place under a name, as cameras do, by renaming.
fn put(folder: &TempDir, from: &str, name: &str) {
    let hidden = folder.path().join(".upload");
    fs::copy(from, &hidden).unwrap();
    fs::rename(hidden, folder.path().join(name)).unwrap();
}

fn width(path: &str) -> Seen {
    Seen::Frame(Picture::open(Path::new(path)).unwrap().width)
}

#[test]
fn a_file_that_is_replaced_is_a_new_picture() {
    let folder = tempdir().unwrap();
    let mut follow = Follow::new(folder.path().to_owned(), Suspects::default(), Vec::new());
    for from in [CAT, COFFEE, CAT, CAT] {
        put(&folder, from, "snapshot.jpg");
        assert_eq!(next(&mut follow), width(from));
        assert_silent(&mut follow);
    }
    // Written in place.
    fs::write(folder.path().join("snapshot.jpg"), fs::read(COFFEE).unwrap()).unwrap();
    assert_eq!(next(&mut follow), width(COFFEE));
    assert_silent(&mut follow);
}

#[test]
fn a_file_whose_time_is_set_later_is_the_same_picture() {
    let folder = tempdir().unwrap();
    let mut follow = Follow::new(folder.path().to_owned(), Suspects::default(), Vec::new());
    put(&folder, CAT, "a.jpg");
    assert_eq!(next(&mut follow), width(CAT));
    let file = fs::File::options().append(true).open(folder.path().join("a.jpg")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_silent(&mut follow);
}

#[test]
fn numbered_files_come_as_people_count_and_others_are_passed_over() {
    let folder = tempdir().unwrap();
    for (from, name) in [(COFFEE, "10.jpg"), (CAT, "9.jpg"), (CAT, "._9.jpg"), (CAT, "8.jpg.part")] {
        put(&folder, from, name);
    }
    fs::write(folder.path().join("Thumbs.db"), b"x").unwrap();
    let mut follow = Follow::new(folder.path().to_owned(), Suspects::default(), Vec::new());
    assert_eq!([next(&mut follow), next(&mut follow)], [width(CAT), width(COFFEE)]);
    assert_silent(&mut follow);
    fs::rename(folder.path().join("8.jpg.part"), folder.path().join("8.jpg")).unwrap();
    assert_eq!(next(&mut follow), width(CAT));
}

#[test]
fn half_an_upload_waits_and_a_missing_end_marker_does_not_matter() {
    let folder = tempdir().unwrap();
    let mut follow = Follow::new(folder.path().to_owned(), Suspects::default(), Vec::new());
    let whole = fs::read(CAT).unwrap();
    let path = folder.path().join("a.jpg");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert_silent(&mut follow);
    fs::write(&path, &whole).unwrap();
    assert_eq!(next(&mut follow), width(CAT));
    fs::write(folder.path().join("b.jpg"), &whole[..whole.len() - 2]).unwrap();
    assert_eq!(next(&mut follow), width(CAT));
    fs::write(folder.path().join("c.jpg"), &whole[..whole.len() / 2]).unwrap();
    let told = next(&mut follow);
    assert!(matches!(&told, Seen::Broken(why) if why.contains("cut short")), "{told:?}");
    assert_silent(&mut follow);
}

#[test]
fn folders_that_are_made_later_are_part_of_it_but_for_outputs() {
    let folder = tempdir().unwrap();
    let inside = |name: &str| folder.path().join(name);
    for name in ["2026-11-29/front", "old", "annotated"] {
        fs::create_dir_all(inside(name)).unwrap();
    }
    let follow = |outputs: &[&str]| {
        let outputs = outputs.iter().map(|name| inside(name)).collect();
        Follow::new(folder.path().to_owned(), Suspects::default(), outputs)
    };
    // None of its own: those of all folders in it.
    put(&folder, CAT, "2026-11-29/front/9.jpg");
    put(&folder, CAT, "annotated/frame-00000001.jpg");
    let mut nested = follow(&["annotated", "later"]);
    assert_eq!(next(&mut nested), width(CAT));
    assert_silent(&mut nested);
    for name in ["2026-11-30/front", "later"] {
        fs::create_dir_all(inside(name)).unwrap();
    }
    put(&folder, CAT, "later/frame-00000001.jpg");
    put(&folder, COFFEE, "2026-11-30/front/1.jpg");
    assert_eq!(next(&mut nested), width(COFFEE));
    // One of its own, later, changes nothing about the others.
    put(&folder, COFFEE, "1.jpg");
    assert_eq!(next(&mut nested), width(COFFEE));
    put(&folder, CAT, "2026-11-30/front/2.jpg");
    assert_eq!(next(&mut nested), width(CAT));
    assert_silent(&mut nested);

    // With one of its own from the start, folders that are there stay aside; new ones do not.
    let mut flat = follow(&["annotated", "later"]);
    assert_eq!(next(&mut flat), width(COFFEE));
    assert_silent(&mut flat);
    fs::create_dir(inside("2026-12-01")).unwrap();
    put(&folder, CAT, "2026-12-01/1.jpg");
    assert_eq!(next(&mut flat), width(CAT));
    assert_silent(&mut flat);
}
