//! A system that opens no more files.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::tempdir;

use crate::common::film::{Studio, film};
use crate::common::photo;

/// Runs `edgeclip` in `folder` where it may have `most` files open.
fn limited(folder: &Path, most: u32, arguments: &[&str]) -> Output {
    let limit = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
    let mut command = Command::new("bash");
    command.args(["-c", &limit, env!("CARGO_BIN_EXE_edgeclip")]).args(arguments).current_dir(folder);
    command.output().unwrap()
}

#[test]
fn without_descriptors_it_says_so_or_needs_none() {
    let folder = tempdir().unwrap();
    photo(&folder.path().join("a.jpg"));
    film(folder.path(), "film.y4m", &vec![Studio::new().picture(Some(60)); 2], 8);
    let detect = ["detect", "a.jpg", "--prompt", "cat", "--threads", "1", "--annotate", "out.png", "--force"];
    let run = ["run", "--source", "film.y4m", "--prompt", "cat", "--threads", "2", "--annotate", "frames"];
    for most in [4, 5, 6, 7, 8, 12] {
        for arguments in [&detect[..], &run] {
            let output = limited(folder.path(), most, arguments);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.signal(), None, "{most} {arguments:?}: {told}");
            assert!(!told.contains("panicked"), "{most} {arguments:?}: {told}");
            match output.status.code() {
                Some(0) => assert!(!output.stdout.is_empty(), "{most} {arguments:?}"),
                code => {
                    assert!(code == Some(2) && most < 12, "{most} {arguments:?}: {code:?} {told}");
                    assert!(told.contains("Too many open files"), "{most} {arguments:?}: {told}");
                }
            }
        }
    }
}
