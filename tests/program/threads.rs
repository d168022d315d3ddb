//! A system that starts no more threads.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::tempdir;

use crate::common::film::{Studio, film};
use crate::common::photo;

/// No process of this user is counted but those of the test.
const NOBODY: u32 = 65_534;

/// How long the processes that a program has left may take to die.
const LEAVING: Duration = Duration::from_secs(20);

/// Waits until no process of this user is left: those that decode die a moment after the program, and count.
fn until_none_is_left(user: u32) {
    let begin = Instant::now();
    let lives = || {
        let processes = fs::read_dir("/proc").unwrap().flatten();
        processes.filter_map(|process| process.metadata().ok()).any(|process| process.uid() == user)
    };
    while lives() && begin.elapsed() < LEAVING {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_root(folder: &Path) -> bool {
    fs::metadata(folder).unwrap().uid() == 0
}

/// Runs `edgeclip` in `folder` where its user may have `most` processes and threads. Root may have any
/// number, and becomes somebody else.
fn limited(folder: &Path, most: u32, arguments: &[&str]) -> Output {
    let program = folder.join("edgeclip");
    if !program.exists() {
        // Others may not enter the folder of the build.
        fs::copy(env!("CARGO_BIN_EXE_edgeclip"), &program).unwrap();
    }
    let limit = format!("ulimit -u {most} && exec \"$0\" \"$@\"");
    let mut command = Command::new("bash");
    command.args(["-c", &limit]).arg(program).args(arguments).current_dir(folder);
    if is_root(folder) {
        use std::os::unix::process::CommandExt;
        command.uid(NOBODY).gid(NOBODY);
        until_none_is_left(NOBODY);
    }
    command.output().unwrap()
}

#[test]
fn without_threads_it_works_alone_or_says_what_to_do() {
    let folder = tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    photo(&folder.path().join("a.jpg"));
    film(folder.path(), "film.y4m", &vec![Studio::new().picture(Some(60)); 2], 8);
    let detect = ["detect", "a.jpg", "--prompt", "cat", "--threads", "1"];
    let run = ["run", "--source", "film.y4m", "--prompt", "cat", "--threads", "2"];
    for most in 0..=6 {
        for arguments in [&detect[..], &run] {
            let output = limited(folder.path(), most, arguments);
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.signal(), None, "{most} {arguments:?}: {told}");
            assert!(!told.contains("panicked"), "{most} {arguments:?}: {told}");
            match output.status.code() {
                Some(0) => assert!(!output.stdout.is_empty(), "{most} {arguments:?}"),
                code => {
                    assert_eq!(code, Some(2), "{most} {arguments:?}: {told}");
                    assert!(told.contains("threads") && told.contains("ulimit -u"), "{arguments:?}: {told}");
                }
            }
        }
    }
    if !is_root(folder.path()) {
        // Whatever else this user runs is counted, too.
        return;
    }
    let alone = limited(folder.path(), 3, &detect);
    assert_eq!(
        alone.status.code(),
        Some(0),
        "one thread is enough, and two processes that decode: {alone:?}"
    );
}
