//! The seal: the process gives up all that it no longer needs, for good.

#[cfg(debug_assertions)]
mod attempt;
mod calls;
mod filter;
mod profile;
mod reach;
mod refusal;
mod resolver;

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use profile::Profile;
pub(crate) use reach::{Grant, Reach, Right};
pub(crate) use resolver::{NAME_SERVER, resolver};

/// Whether this process is sealed.
static SEALED: AtomicBool = AtomicBool::new(false);

/// Which parts of the seal this kernel enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kernel {
    /// Whether system calls can be refused.
    pub filters: bool,
    /// The version of Landlock; 0 for none.
    pub landlock: u32,
}

impl Kernel {
    /// The one that runs this.
    pub(crate) fn present() -> Self {
        Self { filters: filter::is_available(), landlock: reach::version() }
    }

    /// What it does not enforce.
    pub(crate) fn gaps(self) -> Vec<&'static str> {
        let gaps = [
            (1, "which files are read and written"),
            (3, "which files are cut short"),
            (4, "to which ports network sources connect"),
            (5, "which requests devices get"),
        ];
        gaps.into_iter().filter(|(since, _)| self.landlock < *since).map(|(_, gap)| gap).collect()
    }
}

/// Whether this process has been sealed.
pub(crate) fn is_sealed() -> bool {
    SEALED.load(Ordering::Relaxed)
}

/// Seals this process, which has one thread: Landlock is for the calling one and those that it starts.
///
/// # Errors
/// There are more threads, or the kernel has no filters for system calls.
pub(crate) fn seal(profile: &Profile, reach: &Reach) -> io::Result<()> {
    // Where /proc is hidden, as from a process that is sealed already, nobody can tell.
    if !is_sealed() && fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1) {
        return Err(io::Error::other("threads that have begun already"));
    }
    let mut program = profile.filter().finish();
    // SAFETY: both take integers.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as libc::c_ulong, 0, 0, 0);
        libc::prctl(libc::PR_SET_DUMPABLE, 0 as libc::c_ulong, 0, 0, 0);
    }
    refusal::listen();
    reach::restrict(reach)?;
    filter::install(&mut program)?;
    SEALED.store(true, Ordering::Relaxed);
    #[cfg(debug_assertions)]
    attempt::attempt(profile.kind());
    Ok(())
}

/// What every part of this program may read: how much memory there is, how hot the processor is.
pub(crate) fn machine() -> Vec<Grant> {
    let files = [
        "/proc/cpuinfo",
        "/proc/meminfo",
        "/proc/self/cgroup",
        "/proc/self/mountinfo",
        "/proc/sys/vm",
        "/sys",
    ];
    let there = files.iter().map(Path::new).filter(|path| path.exists());
    there.map(|path| Grant { path: path.to_owned(), right: Right::Read }).collect()
}
