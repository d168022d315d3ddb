//! What a process needs that may die at any moment: memory to share, and limits that end it.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::errors::replace;

/// A file in memory, which ends with its last descriptor. Reading and writing it takes no lock, and what
/// another process does to its length cannot crash whoever reads it, unlike a mapping.
///
/// # Errors
/// The kernel has none (before Linux 3.17) or no descriptor is left.
pub(crate) fn memory_file(name: &CStr) -> io::Result<File> {
    // SAFETY: `name` ends with a zero byte and is only read.
    let descriptor = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else's.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// What standard input is; from then on, it is empty, also in processes that are split off.
///
/// # Errors
/// No descriptor is left.
pub(crate) fn take_stdin() -> io::Result<OwnedFd> {
    let taken = io::stdin().as_fd().try_clone_to_owned()?;
    replace(File::open("/dev/null")?.as_fd(), libc::STDIN_FILENO)?;
    Ok(taken)
}

/// Who returns from [`fork`].
pub(crate) enum Forked {
    /// The new process.
    New,
    /// The old one, and the number of the new one.
    Old(i32),
}

/// Splits the process in two. Only for a process with one thread: the others would be missing in the new one,
/// with whatever they hold locked.
///
/// # Errors
/// The system has no process left.
pub(crate) fn fork() -> io::Result<Forked> {
    // SAFETY: takes no pointer; with one thread, nothing is locked in the new process (the caller's promise).
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::New),
        new => Ok(Forked::Old(new)),
    }
}

/// Makes these standard input and output.
///
/// # Errors
/// The system refuses it.
pub(crate) fn set_standard(input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> io::Result<()> {
    replace(input, libc::STDIN_FILENO)?;
    replace(output, libc::STDOUT_FILENO)
}

/// Ends a process from [`fork`] at once.
pub(crate) fn kill(process: i32) {
    // SAFETY: takes numbers.
    unsafe { libc::kill(process, libc::SIGKILL) };
}

/// Waits until a process from [`fork`] ends.
///
/// # Errors
/// There is none of this number.
pub(crate) fn wait(process: i32) -> io::Result<ExitStatus> {
    let mut status = 0;
    loop {
        // SAFETY: `status` is a valid place for an integer.
        if unsafe { libc::waitpid(process, &raw mut status, 0) } == process {
            return Ok(ExitStatus::from_raw(status));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// The process dies with the thread that started it, survives signals that are meant for that, gains no
/// privileges, and leaves no core.
pub(crate) fn depend_on_parent() {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: prctl takes integers here, signal replaces handlers by none, setrlimit reads a valid structure.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong, 0, 0, 0);
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as libc::c_ulong, 0, 0, 0);
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
            libc::signal(signal, libc::SIG_IGN);
        }
        // Rust's handler would return from the first one that another process sends.
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            libc::signal(signal, libc::SIG_DFL);
        }
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
    }
}

/// SIGHUP no longer ends the process.
pub(crate) fn ignore_hangup() {
    // SAFETY: replaces the handler by none.
    unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
}

/// The process may hold at most so many bytes of its own; an allocation beyond ends it.
pub(crate) fn limit_memory(bytes: u64) {
    let bytes = libc::rlim_t::try_from(bytes).unwrap_or(libc::RLIM_INFINITY);
    let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
    // SAFETY: reads a valid structure.
    unsafe { libc::setrlimit(libc::RLIMIT_DATA, &raw const limit) };
}

/// From now on, the process ends when it has computed for `computing` (whole seconds, to the next), or when
/// `waiting` has passed.
pub(crate) fn limit_time(computing: Duration, waiting: Duration) {
    let usage = used();
    let seconds = (usage + computing).as_secs() + 1;
    let limit =
        libc::rlimit { rlim_cur: seconds as libc::rlim_t, rlim_max: libc::RLIM_INFINITY as libc::rlim_t };
    // SAFETY: reads a valid structure; the alarm takes a number.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CPU, &raw const limit);
        libc::alarm(u32::try_from(waiting.as_secs()).unwrap_or(u32::MAX));
    }
}

/// Ends what [`limit_time`] began: the process waits for others.
pub(crate) fn unlimit_waiting() {
    // SAFETY: takes a number.
    unsafe { libc::alarm(0) };
}

/// For how long the process has computed.
fn used() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.try_into().unwrap_or_default(), time.tv_nsec.try_into().unwrap_or_default())
}
