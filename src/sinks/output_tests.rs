use std::io::{BufRead, BufReader};
use std::process::Command;

use super::*;
use crate::sinks::tests::on_a_small_disk;

/// Any file that begins with `a` or `x` is our own.
const OWN: Own = Own { what: "one of ours", begins: |head| head.starts_with(b"a") || head.starts_with(b"x") };

fn open(path: &Path) -> Result<Output> {
    Output::open(path, OWN, false)
}

#[test]
fn a_file_is_appended_to_and_only_its_first_record_is_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    for (expected, record) in [(true, "a\n"), (false, "b\n")] {
        let mut output = open(&path).unwrap();
        assert_eq!(output.is_at_start(), expected);
        output.write(record.as_bytes()).unwrap();
        assert!(!output.is_at_start());
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nb\n");
    assert!(open(&folder.path().join("no/out")).is_err());
}

#[test]
fn a_full_device_is_an_error_that_names_it() {
    let mut output = open(Path::new("/dev/full")).unwrap();
    for _ in 0..2 {
        let error = output.write(b"x").unwrap_err();
        assert!(error.to_string().starts_with("/dev/full: "), "{error}");
        assert!(error.io_error().and_then(io::Error::raw_os_error) == Some(libc::ENOSPC), "no ENOSPC");
    }
}

#[test]
fn on_a_full_disk_a_file_ends_with_its_last_whole_record() {
    let test = "sinks::output::tests::on_a_full_disk_a_file_ends_with_its_last_whole_record";
    on_a_small_disk(test, |disk| {
        let (path, ballast) = (disk.join("out"), disk.join("ballast"));
        let mut output = open(&path).unwrap();
        let record = [b'x'; 10_000];
        output.write(&record).unwrap();
        std::fs::write(&ballast, vec![0; 240 << 10]).unwrap();
        // Part of it fits.
        let error = output.write(&record).unwrap_err();
        assert!(error.io_error().and_then(io::Error::raw_os_error) == Some(libc::ENOSPC), "{error}");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 10_000);
        std::fs::remove_file(&ballast).unwrap();
        output.write(b"y").unwrap();
        let text = std::fs::read(&path).unwrap();
        assert_eq!((text.len(), text.last()), (10_001, Some(&b'y')));
    });
}

#[test]
fn a_pipe_waits_for_nobody_and_serves_one_reader_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let mut output = open(&path).unwrap();
    output.write(b"nobody\n").unwrap();
    for visit in ["first\n", "second\n"] {
        // Open for writing as well, so that opening does not wait for the writer.
        let reader = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        assert!(output.is_at_start());
        output.write(visit.as_bytes()).unwrap();
        assert!(!output.is_at_start());
        let mut line = String::new();
        BufReader::new(reader).read_line(&mut line).unwrap();
        assert_eq!(line, visit);
        // Notices that the reader has gone.
        output.write(b"lost\n").unwrap();
    }
}

#[test]
fn files_of_others_and_links_are_refused_or_replaced_on_request() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("theirs"), "theirs").unwrap();
    symlink("theirs", path("link")).unwrap();
    symlink("nothing", path("dangling")).unwrap();
    for (name, found) in [
        ("theirs", "a file that edgeclip did not write"),
        ("link", "a symbolic link"),
        ("dangling", "a symbolic link"),
    ] {
        let error = open(&path(name)).err().unwrap().to_string();
        let expected = format!(
            "found {found}, expected a free name, one of ours to go on with, or --force to replace it"
        );
        assert!(error.ends_with(&expected), "{error}");
        let theirs = std::fs::read(path("theirs")).unwrap();
        Output::open(&path(name), OWN, true).unwrap().write(b"a").unwrap();
        assert_eq!(std::fs::read(path(name)).unwrap(), b"a");
        if name != "theirs" {
            assert_eq!(std::fs::read(path("theirs")).unwrap(), theirs);
        }
        // Now it is ours.
        open(&path(name)).unwrap().write(b"b").unwrap();
        assert_eq!(std::fs::read(path(name)).unwrap(), b"ab");
    }
    assert!(!path("nothing").exists());
    let mode = std::fs::metadata(path("link")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_has_gone_is_made_anew_and_nobody_elses_is_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/out");
    std::fs::create_dir(folder.path().join("a")).unwrap();
    let mut output = open(&path).unwrap();
    output.write(b"a\n").unwrap();
    std::fs::rename(&path, folder.path().join("rotated")).unwrap();
    assert!(output.is_at_start());
    output.write(b"a again\n").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"a again\n");
    std::fs::remove_dir_all(folder.path().join("a")).unwrap();
    output.write(b"anew\n").unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"anew\n");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "theirs").unwrap();
    let error = output.write(b"ours").unwrap_err().to_string();
    assert!(error.contains("a file that edgeclip did not write has taken its place"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
}
