//! Which system calls a program makes, with all processes that it starts.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

#[allow(dead_code, reason = "only names are used here")]
#[path = "../../../src/system/seal/calls.rs"]
mod calls;

/// `PTRACE_GET_SYSCALL_INFO`, and the kind of stop that it tells of.
const GET_SYSCALL_INFO: libc::c_uint = 0x420e;
const ENTRY: u8 = 1;

/// `struct ptrace_syscall_info` of linux/ptrace.h, as far as it is needed.
#[repr(C)]
struct Stop {
    kind: u8,
    _reserved: [u8; 3],
    _processor: u32,
    _pointers: [u64; 2],
    number: u64,
    _arguments: [u64; 6],
}

/// The names of the system calls that `edgeclip` makes with these arguments in `folder`, from the program on, and its
/// exit code; `None` if nobody may watch it here.
pub(crate) fn calls(folder: &Path, arguments: &[&str]) -> Option<(BTreeSet<String>, i32)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env("STATE_DIRECTORY", folder.join("state")).env_remove("NOTIFY_SOCKET");
    command.stdout(File::create(folder.join("stdout")).unwrap());
    command.stderr(File::create(folder.join("stderr")).unwrap());
    // SAFETY: between fork and exec, the closure makes one system call.
    unsafe {
        command.pre_exec(|| match libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
    let Ok(child) = command.spawn() else {
        eprintln!("NOT CHECKED: no process can be watched here");
        return None;
    };
    watch(child.id() as i32)
}

/// Follows the process and its children to their end, and returns the exit code of the first.
fn watch(first: i32) -> Option<(BTreeSet<String>, i32)> {
    let (mut found, mut known, mut code) = (BTreeSet::new(), BTreeSet::new(), -1);
    let options = libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACEEXEC
        | libc::PTRACE_O_EXITKILL;
    loop {
        let mut status = 0;
        // SAFETY: `status` is a place for an integer. Children of other threads are not waited for.
        let task = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | libc::__WNOTHREAD) };
        if task < 0 {
            return Some((found, code));
        }
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            if task == first {
                code = if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -1 };
            }
            continue;
        }
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        let is_new = known.insert(task);
        if task == first && is_new {
            // SAFETY: takes integers.
            unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, task, 0, options as libc::c_long) };
        }
        if signal == libc::SIGTRAP | 0x80 {
            let Some(number) = entered(task) else {
                eprintln!("NOT CHECKED: this kernel does not tell which system call it is (Linux 5.3 does)");
                return None;
            };
            found.extend(number.map(|number| name(number as libc::c_long)));
        }
        // What stops it on our behalf is not for the program.
        let ours = signal == libc::SIGTRAP | 0x80
            || event != 0
            || is_new && [libc::SIGSTOP, libc::SIGTRAP].contains(&signal);
        // SAFETY: takes integers.
        unsafe {
            libc::ptrace(libc::PTRACE_SYSCALL, task, 0, libc::c_long::from(if ours { 0 } else { signal }))
        };
    }
}

/// The call that a task begins, `Some(None)` if it ends one; `None` if the kernel does not say.
fn entered(task: i32) -> Option<Option<u64>> {
    // SAFETY: all-zero bytes are a valid `Stop`, to which the kernel writes no more than its size.
    let (answer, stop) = unsafe {
        let mut stop: Stop = zeroed();
        (libc::ptrace(GET_SYSCALL_INFO as _, task, size_of::<Stop>(), &raw mut stop), stop)
    };
    (answer > 0).then(|| (stop.kind == ENTRY).then_some(stop.number))
}

/// One name for what C libraries and processors call differently.
fn name(number: libc::c_long) -> String {
    let name = calls::name(number).map_or_else(|| format!("number {number}"), str::to_owned);
    let name = name.trim_end_matches("_time64").trim_end_matches("64").trim_end_matches("32");
    match name {
        "open" => "openat",
        "fstat" | "lstat" | "newfstatat" | "fstatat" | "statx" => "stat",
        "access" | "faccessat2" | "faccessat" => "access",
        "readlink" => "readlinkat",
        "mkdir" => "mkdirat",
        "unlink" => "unlinkat",
        "rename" | "renameat2" => "renameat",
        "poll" => "ppoll",
        "epoll_wait" => "epoll_pwait",
        "fork" | "vfork" | "clone3" => "clone",
        "getrlimit" | "setrlimit" | "ugetrlimit" => "prlimit",
        "recv" => "recvfrom",
        "send" => "sendto",
        "mmap2" => "mmap",
        "dup2" | "dup3" => "dup",
        "alarm" => "setitimer",
        "getdents" | "getdents64" => "getdents",
        other => other,
    }
    .to_owned()
}
