//! Which files and ports a process may reach: Landlock.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, Scope, make_bitflags,
};

/// What may be done to a file, or to all that is in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Read.
    Read,
    /// Read, make files, and write to them.
    Append,
    /// The same, and remove files.
    Write,
    /// Read and write what is there, and control devices.
    Use,
}

/// A path and what may be done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    /// A file or folder; of one that is not there, the nearest folder above.
    pub path: PathBuf,
    /// What may be done.
    pub right: Right,
}

impl Grant {
    /// A right to `path`; one to read, to the nearest folder above it that exists.
    pub(crate) fn new(path: &Path, right: Right) -> Self {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut above = absolute.ancestors();
        let there = above.find(|path| right == Right::Write || path.exists()).unwrap_or(Path::new("/"));
        Self { path: there.canonicalize().unwrap_or_else(|_| there.to_owned()), right }
    }
}

/// All that a process may reach besides what it has open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    /// Files and folders.
    pub files: Vec<Grant>,
    /// Ports to which it may connect over TCP.
    pub ports: Vec<u16>,
}

/// Holds the calling thread, and those that it will start, to what it may reach. Without Landlock, nothing
/// happens.
///
/// # Errors
/// The kernel refuses it.
pub(super) fn restrict(reach: &Reach) -> io::Result<()> {
    restricted(reach).map_err(io::Error::other)
}

fn restricted(reach: &Reach) -> Result<(), RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V7))?
        .handle_access(AccessNet::from_all(ABI::V7))?
        .scope(Scope::from_all(ABI::V7))?
        .create()?;
    for Grant { path, right } in &reach.files {
        // What cannot be looked up cannot be reached either.
        let Ok(place) = OpenOptions::new().read(true).custom_flags(libc::O_PATH).open(path) else { continue };
        let rights = rights(*right, &place);
        rules = rules.add_rule(PathBeneath::new(&place, rights))?;
        // Rules are for inodes, and those of /proc live as long as somebody holds them.
        std::mem::forget(place);
    }
    for port in &reach.ports {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    rules.restrict_self()?;
    Ok(())
}

fn rights(right: Right, place: &File) -> BitFlags<AccessFs> {
    let read = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let append = read | make_bitflags!(AccessFs::{WriteFile | MakeReg | Truncate});
    let rights = match right {
        Right::Read => read,
        Right::Append => append,
        Right::Write => append | AccessFs::RemoveFile,
        Right::Use => read | make_bitflags!(AccessFs::{WriteFile | IoctlDev}),
    };
    if place.metadata().is_ok_and(|about| about.is_dir()) {
        rights
    } else {
        rights & AccessFs::from_file(ABI::V7)
    }
}

/// The version of Landlock that the kernel has; 0 if it has none.
pub(super) fn version() -> u32 {
    let nothing: libc::c_long = 0;
    // SAFETY: without attributes, the kernel reads no memory, and answers with its version (flag 1).
    let answer =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, nothing, 1 as libc::c_long) };
    u32::try_from(answer).unwrap_or(0)
}
