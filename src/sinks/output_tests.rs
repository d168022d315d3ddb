use std::io::{BufRead, BufReader};
use std::process::Command;

use super::*;
use crate::sinks::tests::on_a_small_disk;

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
        assert!(error.io_error().and_then(io::Error::raw_os_error) == Some(libc::ENOSPC), "no ENOSPC");
    }
}

#[test]
fn on_a_full_disk_a_file_ends_with_its_last_whole_record() {
    let test = "sinks::output::tests::on_a_full_disk_a_file_ends_with_its_last_whole_record";
    on_a_small_disk(test, |disk| {
        let (path, ballast) = (disk.join("out"), disk.join("ballast"));
        let mut output = Output::open(&path).unwrap();
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
        // Notices that the reader has gone.
        output.write(b"lost\n").unwrap();
    }
}
