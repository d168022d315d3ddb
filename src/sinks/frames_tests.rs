use super::*;
use crate::report::ShownBoxes;
use crate::sinks::tests::frame_report;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn sink(folder: &Path, kind: PictureKind) -> Frames {
    Frames::new(folder, kind, NonZeroUsize::new(3).unwrap(), Painter::new(ShownBoxes::Tracks)).unwrap()
}

#[test]
fn the_newest_frames_stay_and_numbers_go_on_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let mut first = sink(&path, PictureKind::Jpeg);
    for _ in 0..5 {
        first.take(&frame_report()).unwrap();
    }
    assert_eq!(names(&path), ["frame-00000003.jpg", "frame-00000004.jpg", "frame-00000005.jpg"]);
    for other in ["frame-1.jpg", "frame-00000001.txt", "frame-0000000x.png", "my-00000001.jpg"] {
        fs::write(path.join(other), "mine").unwrap();
    }
    let mut second = sink(&path, PictureKind::Png);
    for _ in 0..2 {
        second.take(&frame_report()).unwrap();
    }
    let own = names(&path).into_iter().filter(|name| number(Path::new(name)).is_some());
    assert_eq!(own.collect::<Vec<_>>(), ["frame-00000005.jpg", "frame-00000006.png", "frame-00000007.png"]);
    assert_eq!(names(&path).len(), 3 + 4);
}

#[test]
fn frames_are_annotated_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path(), PictureKind::Png);
    sink.take(&frame_report()).unwrap();
    let back = image::open(folder.path().join("frame-00000001.png")).unwrap().into_rgb8();
    assert_eq!(back.dimensions(), (320, 240));
    let report = frame_report();
    assert_ne!(back.as_raw(), &report.picture.as_ref().unwrap().data);
    let mut expected = report.picture.clone().unwrap().data;
    Painter::new(ShownBoxes::Tracks).annotate(&mut expected, 320, 240, &report);
    assert_eq!(back.as_raw(), &expected);
}

#[test]
fn a_file_that_the_user_has_deleted_is_not_missed_and_a_lost_folder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let mut sink = sink(&path, PictureKind::Jpeg);
    for _ in 0..3 {
        sink.take(&frame_report()).unwrap();
    }
    fs::remove_file(path.join("frame-00000001.jpg")).unwrap();
    sink.take(&frame_report()).unwrap();
    assert_eq!(names(&path).len(), 3);
    fs::remove_dir_all(&path).unwrap();
    let error = sink.take(&frame_report()).unwrap_err().to_string();
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    fs::create_dir(&path).unwrap();
    sink.take(&frame_report()).unwrap();
}
