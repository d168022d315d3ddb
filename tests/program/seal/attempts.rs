//! A sealed process that is made to try what it must not do. Programs without debug assertions try nothing.

use std::fs;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use super::{can_seal, has_landlock};
use crate::common::film::{Studio, film, jpeg};
use crate::common::live::{Running, is};
use crate::faults::camera::Camera;

/// Permission denied, by Landlock; operation not permitted, by seccomp.
const DENIED: u32 = 13;
const REFUSED: u32 = 1;

/// A run in `place/work`, which makes its processes try things after the seal.
fn trying(place: &Path, tries: &str, cameras: &[&str]) -> Running {
    started(sealed(place, tries, cameras))
}

fn started(command: Command) -> Running {
    let mut running = Running::command(command);
    running.read();
    running
}

/// How such a run is started.
fn sealed(place: &Path, tries: &str, cameras: &[&str]) -> Command {
    let work = place.join("work");
    fs::create_dir_all(work.join("out")).unwrap();
    fs::write(place.join("kept"), "kept").unwrap();
    film(&work, "film.y4m", &vec![Studio::new().picture(Some(60)); 4], 8);
    let source = |url: &&str| format!("[[source]]\nurl = '{url}'\n");
    // Beside a camera, the film has no end.
    let film = format!("[[source]]\nurl = 'film.y4m'\nrepeat = {}\n", !cameras.is_empty());
    fs::write(work.join("run.toml"), cameras.iter().map(source).chain([film]).collect::<String>()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    command.args(["run", "--seal", "--config", "run.toml", "--prompt", "cat", "--csv", "out/log.csv"]);
    command.current_dir(&work).env("EDGECLIP_TRY", tries);
    command
}

#[test]
fn what_the_settings_do_not_need_fails_and_is_told_and_the_run_goes_on() {
    if !can_seal() || !has_landlock(3) {
        return;
    }
    let place = tempdir().unwrap();
    let tries = [
        ("connect", REFUSED, "socket"),
        ("listen", REFUSED, "socket"),
        ("send", REFUSED, "socket"),
        ("local", REFUSED, "socket"),
        ("spawn", REFUSED, ""),
        ("fork", REFUSED, ""),
        ("signal", REFUSED, "kill"),
        ("code", REFUSED, "mmap"),
        ("type", REFUSED, "ioctl"),
        ("write", DENIED, ""),
        ("overwrite", DENIED, ""),
        ("remove", DENIED, ""),
        ("read", DENIED, ""),
    ];
    let list: Vec<String> = tries.iter().map(|(what, ..)| format!("run:{what}")).collect();
    let ended = trying(place.path(), &list.join(","), &[]).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (what, error, call) in tries {
        ended.told(&[&format!("edgeclip: run tried {what}: error {error}")]);
        if !call.is_empty() {
            // Names differ between C libraries and processors.
            ended.told(&["edgeclip: warning: the seal has refused the system call ", call]);
        }
    }
    assert!(!place.path().join("tried").exists());
    assert_eq!(fs::read_to_string(place.path().join("kept")).unwrap(), "kept");
    assert_eq!(ended.lines.iter().filter(|line| is(line, "frame")).count(), 4);
    let rows = fs::read_to_string(place.path().join("work/out/log.csv")).unwrap();
    assert!(rows.lines().count() > 1, "{rows}");
}

#[test]
fn what_only_an_intruder_does_ends_the_process() {
    if !can_seal() {
        return;
    }
    for what in ["exec", "trace"] {
        let place = tempdir().unwrap();
        let mut running = trying(place.path(), &format!("run:{what}"), &[]);
        assert_eq!(running.wait().signal(), Some(libc::SIGSYS), "{what}");
    }
}

#[test]
fn processes_that_decode_may_do_even_less() {
    if !can_seal() || !has_landlock(4) {
        return;
    }
    let place = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let tries = [
        // It may have sockets, but for its camera's port alone.
        ("camera", "connect", DENIED),
        ("camera", "listen", REFUSED),
        ("camera", "read", REFUSED),
        ("camera", "write", REFUSED),
        ("camera", "fork", REFUSED),
        ("pictures", "connect", REFUSED),
        ("pictures", "read", REFUSED),
        ("pictures", "write", REFUSED),
        ("pictures", "spawn", REFUSED),
        ("nursery", "listen", REFUSED),
        ("nursery", "read", REFUSED),
    ];
    let list: Vec<String> = tries.iter().map(|(who, what, _)| format!("{who}:{what}")).collect();
    let mut running = trying(place.path(), &list.join(","), &[&camera.url()]);
    running.until(|line| is(line, "frame") && line["source"] == camera.url().as_str());
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (who, what, error) in tries {
        ended.told(&[&format!("edgeclip: {who} tried {what}: error {error}")]);
    }
}

#[test]
fn a_decoder_that_is_taken_over_dies_and_the_other_sources_go_on() {
    if !can_seal() {
        return;
    }
    let place = tempdir().unwrap();
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let mut running = trying(place.path(), "camera:exec", &[&camera.url()]);
    running.tells("the seal forbids");
    running.lines_so_far();
    running.until(|line| is(line, "frame") && line["source"] == "film.y4m");
    running.signal("TERM");
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn without_landlock_system_calls_are_refused_and_a_warning_says_what_is_not() {
    if !can_seal() {
        return;
    }
    let place = tempdir().unwrap();
    let mut command = sealed(place.path(), "run:connect,run:listen,run:spawn,run:read", &[]);
    without_landlock(&mut command);
    let ended = started(command).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.told(&[
        "edgeclip: warning: sealed, but this kernel has no Landlock: nobody checks which files are read and written",
    ]);
    for what in ["connect", "listen", "spawn"] {
        ended.told(&[&format!("edgeclip: run tried {what}: error {REFUSED}")]);
    }

    ended.told(&["edgeclip: run tried read: done"]);
    assert_eq!(ended.lines.iter().filter(|line| is(line, "frame")).count(), 4);
}

/// Lets the program find a kernel that has none.
fn without_landlock(command: &mut Command) {
    let instruction =
        |code: u32, jump: u8, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: jump, k };
    let create = libc::SYS_landlock_create_ruleset as u32;
    let mut filter = [
        // The number of the call.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, create),
        instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let install = move || {
        let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
        let (on, zero) = (1 as libc::c_ulong, 0 as libc::c_ulong);
        // SAFETY: integers, and a filter that outlives the call.
        let refused = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, on, zero, zero, zero) != 0
                || libc::prctl(
                    libc::PR_SET_SECCOMP,
                    libc::SECCOMP_MODE_FILTER as libc::c_ulong,
                    &raw const program,
                ) != 0
        };
        if refused { Err(io::Error::last_os_error()) } else { Ok(()) }
    };
    // SAFETY: between fork and exec, the closure makes system calls only.
    unsafe { command.pre_exec(install) };
}
