//! What a sealed process is made to try, so that tests see it stopped. Not in the programs that are handed out.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr::null_mut;

use crate::system::Errors;

/// Tries what the environment variable `EDGECLIP_TRY` names for a process of this kind, as in
/// `run:connect,camera:exec`, and says what came of it.
pub(super) fn attempt(kind: &str) {
    let Ok(wanted) = env::var("EDGECLIP_TRY") else { return };
    for what in wanted.split(',').filter_map(|item| item.strip_prefix(kind)?.strip_prefix(':')) {
        let came = match outcome(what) {
            Ok(()) => "done".to_owned(),
            Err(error) => {
                error.raw_os_error().map_or_else(|| error.to_string(), |code| format!("error {code}"))
            }
        };
        // At once: other processes of ours write there, too.
        let line = format!("edgeclip: {kind} tried {what}: {came}\n");
        let _ = Errors.write_all(line.as_bytes());
    }
}

fn outcome(what: &str) -> io::Result<()> {
    match what {
        "connect" => TcpStream::connect("127.0.0.1:9").map(drop),
        "listen" => TcpListener::bind("127.0.0.1:0").map(drop),
        "send" => UdpSocket::bind("127.0.0.1:0").map(drop),
        "local" => UnixStream::connect("../socket").map(drop),
        "write" => fs::write("../tried", "x"),
        "overwrite" => fs::write("../kept", "x"),
        "remove" => fs::remove_file("../kept"),
        "read" => fs::read("/etc/passwd").map(drop),
        "spawn" => Command::new("/bin/true").status().map(drop),
        "exec" => Err(Command::new("/bin/true").exec()),
        // SAFETY: takes no pointers.
        "fork" => checked(unsafe { libc::fork() }.into()),
        // SAFETY: takes no pointers here.
        "trace" => checked(unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) } as i64),
        // SAFETY: takes no pointers; signal 0 is none.
        "signal" => checked(unsafe { libc::kill(libc::getppid(), 0) }.into()),
        // SAFETY: a new mapping of nothing.
        "code" => checked(unsafe {
            let rights = libc::PROT_READ | libc::PROT_EXEC;
            libc::mmap(null_mut(), 4096, rights, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) as i64
        }),
        // SAFETY: the kernel reads one byte.
        "type" => checked(unsafe { libc::ioctl(0, 0x5412, c"x".as_ptr()) }.into()),
        other => Err(io::Error::other(format!("unknown {other}"))),
    }
}

fn checked(answer: i64) -> io::Result<()> {
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
