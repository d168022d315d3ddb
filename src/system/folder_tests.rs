use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn name(text: &str) -> &OsStr {
    OsStr::new(text)
}

#[test]
fn a_file_is_made_once_and_never_through_a_link() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    folder.create(name("a"), 0o600).unwrap().write_all(b"a").unwrap();
    assert_eq!(fs::metadata(place.path().join("a")).unwrap().permissions().mode() & 0o777, 0o600);
    symlink("a", place.path().join("link")).unwrap();
    symlink("nothing", place.path().join("dangling")).unwrap();
    for taken in ["a", "link", "dangling"] {
        assert_eq!(
            folder.create(name(taken), 0o600).unwrap_err().kind(),
            ErrorKind::AlreadyExists,
            "{taken}"
        );
        assert!(folder.about(name(taken)).unwrap().is_some());
    }
    assert!(folder.about(name("link")).unwrap().unwrap().file_type().is_symlink());
    assert!(folder.about(name("b")).unwrap().is_none());
    assert!(folder.read(name("link")).is_err() && folder.append(name("link")).is_err());
    for odd in ["", "../a", "a/b", "a\0"] {
        assert_eq!(folder.create(name(odd), 0o600).unwrap_err().kind(), ErrorKind::InvalidInput, "{odd}");
    }
}

#[test]
fn a_name_is_taken_only_if_it_is_free_or_on_request() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path()).unwrap();
    for text in ["a", "b", "c"] {
        fs::write(place.path().join(text), text).unwrap();
    }
    symlink("c", place.path().join("link")).unwrap();
    for taken in ["b", "link"] {
        let error = folder.rename_to_free(name("a"), name(taken)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(folder.link(name("a"), name(taken)).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
    folder.rename_to_free(name("a"), name("free")).unwrap();
    folder.rename_over(name("free"), name("link")).unwrap();
    folder.remove(name("b")).unwrap();
    folder.remove(name("b")).unwrap();
    let mut left = folder.names().unwrap();
    left.sort();
    assert_eq!(left, ["c", "link"]);
    let mut text = String::new();
    folder.read(name("link")).unwrap().read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), fs::read_to_string(place.path().join("c")).unwrap().as_str()), ("a", "c"));
}

#[test]
fn a_file_where_a_folder_should_be_is_told_as_one() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("file"), "mine").unwrap();
    for path in ["file", "file/below"] {
        let error = Folder::make(&place.path().join(path)).err().unwrap();
        assert_eq!(error.to_string(), "found a file, expected a folder: another name for it", "{path}");
    }
    assert_eq!(fs::read(place.path().join("file")).unwrap(), b"mine");
}

#[test]
fn a_folder_that_has_gone_is_made_anew_but_no_link_in_its_place_is_followed() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a/b");
    let mut folder = Folder::make(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
    assert!(!folder.refresh().unwrap());
    fs::remove_dir_all(place.path().join("a")).unwrap();
    assert!(folder.create(name("x"), 0o600).is_err());
    assert!(folder.refresh().unwrap() && !folder.refresh().unwrap());
    folder.create(name("x"), 0o600).unwrap();
    fs::rename(&path, place.path().join("moved")).unwrap();
    symlink("../moved", &path).unwrap();
    assert!(folder.refresh().is_err());
}

#[test]
fn a_folder_may_be_given_by_a_link_and_is_known_by_any_name() {
    let place = tempfile::tempdir().unwrap();
    symlink(".", place.path().join("link")).unwrap();
    let (one, other) = (Folder::open(place.path()).unwrap(), Folder::open(&place.path().join("link/./link")));
    assert_eq!(one.id().unwrap(), other.unwrap().id().unwrap());
    let space = one.space().unwrap();
    assert!(space.total > 0 && space.available <= space.total, "{space:?}");
}
