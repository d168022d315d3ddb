use std::os::unix::fs::symlink;

use super::*;

/// `photos/` with `a.jpg` and `b.jpg`, and `other/`.
fn photos() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for file in ["photos/a.jpg", "photos/b.jpg", "other/c.txt"] {
        let path = place.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    place
}

fn inputs(arguments: &[PathBuf]) -> Inputs {
    let mut inputs = Inputs::default();
    inputs.add_pictures(arguments);
    inputs
}

#[test]
fn an_input_is_refused_under_every_spelling() {
    let place = photos();
    let path = |name: &str| place.path().join(name);
    symlink("photos", path("link")).unwrap();
    symlink("photos/a.jpg", path("a.png")).unwrap();
    fs::hard_link(path("photos/a.jpg"), path("hard.jpg")).unwrap();
    let inputs = inputs(&[path("link/../photos")]);
    for spelling in
        ["photos/a.jpg", "./photos/./a.jpg", "other/../photos/a.jpg", "link/a.jpg", "a.png", "hard.jpg"]
    {
        let error = inputs.refuse_file(&path(spelling), "--out").unwrap_err().to_string();
        assert!(error.contains("found the input ") && error.ends_with("another file for --out"), "{error}");
        assert!(inputs.has(&path(spelling)));
    }
    // It is not there yet, but would be looked at.
    let error = inputs.refuse_file(&path("link/new.png"), "--out").unwrap_err().to_string();
    assert!(error.contains("a picture among those of "), "{error}");
    for other in ["photos/a.txt", "other/a.jpg", "photos/sub/a.jpg", "a.jpg"] {
        inputs.refuse_file(&path(other), "--out").unwrap();
    }
}

#[test]
fn a_folder_of_inputs_is_refused_under_every_spelling() {
    let place = photos();
    let path = |name: &str| place.path().join(name);
    symlink("photos", path("link")).unwrap();
    let refused = |arguments: &[PathBuf], folder: &str| {
        inputs(arguments)
            .refuse_folder(&path(folder), "--annotate", "x.jpg")
            .map_err(|error| error.to_string())
    };
    for spelling in ["photos", "photos/", "./photos/.", "link", "other/../link/"] {
        let error = refused(&[path("photos")], spelling).unwrap_err();
        assert!(error.contains("pictures are looked at") && error.contains("annotated"), "{error}");
        assert!(refused(&[path("link")], spelling).is_err(), "{spelling}");
    }
    // Read later, though it is not there yet.
    assert!(refused(&[path("later")], "./later").is_err() && refused(&[path("later/in")], "later").is_ok());
    let patterns = [
        ("photos/*.jpg", "photos"),
        ("photos/*", "link"),
        ("link/?.jpg", "photos"),
        ("**/*.jpg", "new/deep"),
    ];
    for (pattern, folder) in patterns {
        assert!(refused(&[path(pattern)], folder).is_err(), "{pattern} {folder}");
    }
    for (argument, folder) in [
        ("photos", "photos/annotated"),
        ("photos", "other"),
        ("photos/a.jpg", "photos"),
        ("photos/*.png", "photos"),
        ("photos/*.jpg", "photos/annotated"),
    ] {
        assert_eq!(refused(&[path(argument)], folder), Ok(()), "{argument} {folder}");
    }
}

#[test]
fn brackets_in_the_name_of_a_folder_are_no_pattern() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("P [1]");
    fs::create_dir(&folder).unwrap();
    let inputs = inputs(&[folder.join("*.jpg")]);
    assert!(inputs.refuse_folder(&folder, "--annotate", "x.jpg").is_err());
    assert!(inputs.refuse_folder(place.path(), "--annotate", "x.jpg").is_ok());
}

#[test]
fn files_that_are_not_there_are_no_inputs() {
    let place = photos();
    let mut inputs = Inputs::default();
    inputs.add_file(&place.path().join("no"));
    inputs.add_files_of(&place.path().join("none"));
    assert!(inputs.files.is_empty());
    inputs.add_files_of(&place.path().join("photos"));
    assert_eq!(inputs.files.len(), 2);
}
