use std::io::{BufRead, BufReader};
use std::process::Command;

use super::*;

#[test]
fn a_file_is_appended_to_and_only_its_first_record_is_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    for (expected, record) in [(true, "a\n"), (false, "b\n")] {
        let mut output = Output::open(&path).unwrap();
        assert_eq!(output.is_at_start(), expected);
        output.write(record.as_bytes()).unwrap();
        assert!(!output.is_at_start());
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nb\n");
    assert!(Output::open(&folder.path().join("no/out")).is_err());
}

#[test]
fn a_full_device_is_an_error_that_names_it() {
    let mut output = Output::open(Path::new("/dev/full")).unwrap();
    for _ in 0..2 {
        let error = output.write(b"x").unwrap_err();
        assert!(error.to_string().starts_with("/dev/full: "), "{error}");
        assert!(
            matches!(error, Error::Io { source, .. } if source.raw_os_error() == Some(libc::ENOSPC)),
            "no ENOSPC"
        );
    }
}

#[test]
fn a_pipe_waits_for_nobody_and_serves_one_reader_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let mut output = Output::open(&path).unwrap();
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
        // Tells that the reader has gone.
        output.write(b"lost\n").unwrap();
    }
}
