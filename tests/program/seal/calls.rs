//! Which system calls each subcommand makes: no other than those of a committed list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use tempfile::tempdir;

use super::can_seal;
use super::tracer::calls;
use crate::common::film::{Studio, film, jpeg};
use crate::common::{edgeclip, photo};
use crate::faults::camera::Camera;

/// `command: calls`, one a line; `EDGECLIP_BLESS=1` adds what is new.
const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/syscalls.txt");
const HEAD: &str = "\
# System calls by which each command, in all its processes, may change anything but itself and what it has open;
# tests/program/seal/calls.rs compares.
";

/// Calls that concern nobody but the process: memory, threads, clocks, what is open. Which of them are made
/// depends on the C library, on the machine and on what else runs there.
const OWN: [&str; 50] = [
    "adjtimex",
    "arch_prctl",
    "brk",
    "clock_adjtime",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "close",
    "dup",
    "exit",
    "exit_group",
    "fcntl",
    "futex",
    "getcwd",
    "getpid",
    "getppid",
    "getrandom",
    "getrusage",
    "gettid",
    "gettimeofday",
    "lseek",
    "madvise",
    "membarrier",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "nanosleep",
    "ppoll",
    "pread",
    "prlimit",
    "pwrite",
    "read",
    "readv",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
    "sysinfo",
    "time",
    "times",
    "uname",
    "write",
    "writev",
];

/// What only programs do that talk to others.
const NETWORK: [&str; 6] = ["socket", "connect", "bind", "listen", "accept", "accept4"];

fn listed() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(LIST).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines
        .map(|(command, calls)| (command.to_owned(), calls.split(' ').map(str::to_owned).collect()))
        .collect()
}

fn prepare(folder: &Path) {
    photo(&folder.join("a.jpg"));
    fs::create_dir(folder.join("photos")).unwrap();
    photo(&folder.join("photos/a.jpg"));
    film(folder, "film.y4m", &vec![Studio::new().picture(Some(60)); 6], 8);
    edgeclip(folder, &["vocab", "build", "--prompt", "cat", "--out", "made.safetensors"]).ok();
    edgeclip(folder, &["vocab", "build", "--prompt", "cat, cup", "--out", "taught.safetensors"]).ok();
}

#[test]
fn no_command_makes_a_system_call_that_is_not_on_its_list() {
    // Names and lists are those of one processor, others have other calls.
    if !cfg!(target_arch = "x86_64") || !can_seal() {
        return;
    }
    let folder = tempdir().unwrap();
    prepare(folder.path());
    let camera = Camera::new(&jpeg(&Studio::new().picture(Some(60))));
    let url = camera.url();
    let outputs = ["--csv", "log.csv", "--snapshot", "events", "--history", "seen"];
    let film = [&["--source", "film.y4m", "--prompt", "cat"][..], &outputs].concat();
    let http = ["--source", &url, "--prompt", "cat", "--frames", "3"];
    let commands: [(&str, Vec<&str>); 25] = [
        ("detect", vec!["detect", "a.jpg", "--prompt", "cat", "--annotate", "shown.jpg"]),
        ("vocab build", vec!["vocab", "build", "--prompt", "dog", "--out", "new.safetensors"]),
        ("vocab show", vec!["vocab", "show", "made.safetensors"]),
        ("vocab add", vec!["vocab", "add", "taught.safetensors", "a.jpg", "--name", "pet", "--whole"]),
        ("vocab test", vec!["vocab", "test", "taught.safetensors"]),
        ("vocab rename", vec!["vocab", "rename", "taught.safetensors", "pet", "beast"]),
        ("vocab merge", vec!["vocab", "merge", "taught.safetensors", "cat", "beast"]),
        ("vocab undo", vec!["vocab", "undo", "taught.safetensors"]),
        ("vocab remove", vec!["vocab", "remove", "taught.safetensors", "beast"]),
        ("vocab renew", vec!["vocab", "renew", "taught.safetensors"]),
        ("token new", vec!["token", "new", "tokens"]),
        ("embed", vec!["embed", "a.jpg", "--out", "embedded.safetensors"]),
        ("eval", vec!["eval"]),
        ("bench", vec!["bench", "--runs", "1"]),
        ("doctor", vec!["doctor", "--json"]),
        ("run --list", vec!["run", "--list"]),
        ("privacy-report", vec!["privacy-report", "--json"]),
        ("run", [&["run"][..], &film].concat()),
        ("export", vec!["export", "events", "--format", "coco", "--out", "labels.json"]),
        ("search", vec!["search", "a cat", "--history", "seen"]),
        ("search --forget", vec!["search", "--forget", "all", "--history", "seen"]),
        ("run --seal", [&["run", "--seal"][..], &film].concat()),
        ("run, folder", vec!["run", "--source", "photos", "--prompt", "cat"]),
        ("run, camera", [&["run"][..], &http].concat()),
        ("run --seal, camera", [&["run", "--seal"][..], &http].concat()),
    ];
    let (mut list, mut new) = (listed(), Vec::new());
    for (command, arguments) in commands {
        let Some((found, code)) = calls(folder.path(), &arguments) else { return };
        // Without a camera, there is none to list.
        let told = fs::read_to_string(folder.path().join("stderr")).unwrap();
        assert!(code == 0 || command == "run --list" && code == 2, "{command}: {code}, {told}");
        if !command.contains("camera") {
            let talks: Vec<_> = found.iter().filter(|call| NETWORK.contains(&call.as_str())).collect();
            assert!(talks.is_empty(), "{command}: {talks:?}");
        }
        let found: BTreeSet<String> =
            found.into_iter().filter(|call| !OWN.contains(&call.as_str())).collect();
        let allowed = list.entry(command.to_owned()).or_default();
        new.extend(found.difference(allowed).map(|call| format!("{command}: {call}")));
        allowed.extend(found);
    }
    if std::env::var_os("EDGECLIP_BLESS").is_some() {
        let line = |(command, calls): (&String, &BTreeSet<String>)| {
            format!("{command}: {}\n", calls.iter().cloned().collect::<Vec<_>>().join(" "))
        };
        fs::write(LIST, HEAD.to_owned() + &list.iter().map(line).collect::<String>()).unwrap();
        return;
    }
    assert!(new.is_empty(), "system calls that are not in {LIST}:\n{}", new.join("\n"));
}
