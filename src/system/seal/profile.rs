//! Which system calls a process may make.

use std::process;

use super::calls::{BASIC, FATAL, FILES, FORK, LIMITS, LOOK, NETWORK, SERVE};

use super::filter::{Bound, Filter, Verdict};

/// `PR_SET_VMA`, with which C libraries name their memory.
const NAME_MEMORY: u32 = 0x5356_4d41;
/// Bits of an `ioctl` that say whose it is, and whose they are: cameras, screens, consoles.
const OWNER: u32 = 0xff00;
const OWNERS: [u8; 3] = [b'V', 0x46, 0x4b];
/// Requests about descriptors: size of a terminal, bytes that wait, waiting or not, what happens on exec.
const ABOUT: [u32; 6] = [0x5401, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451];

/// What a process is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Opens, makes and removes files, and controls devices.
    pub files: bool,
    /// Connects to a camera.
    pub network: bool,
    /// Looks up the names of cameras.
    pub names: bool,
    /// Opens files that it may read.
    pub reads: bool,
    /// Receives packets over UDP.
    pub packets: bool,
    /// Takes connections on a socket that listens already.
    pub serves: bool,
    /// Limits its own time.
    pub limits: bool,
    /// Splits off processes, which it seals.
    pub forks: bool,
}

impl Profile {
    /// What tests call such a process.
    #[cfg(debug_assertions)]
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self { files: true, .. } => "run",
            Self { forks: true, .. } => "nursery",
            Self { network: true, .. } => "camera",
            _ => "pictures",
        }
    }

    /// The filter of its system calls.
    pub(super) fn filter(self) -> Filter {
        let mut filter = Filter::new();
        filter.all(BASIC, Verdict::Allow);
        for (wanted, group) in [
            (self.files, FILES),
            (self.names || self.reads, LOOK),
            (self.network, NETWORK),
            (self.serves, SERVE),
            (self.limits, LIMITS),
            (self.forks, FORK),
        ] {
            if wanted {
                filter.all(group, Verdict::Allow);
            }
        }
        self.memory(&mut filter);
        self.threads(&mut filter);
        self.sockets(&mut filter);
        self.requests(&mut filter);
        filter.all(FATAL, Verdict::Kill);
        filter
    }

    /// Memory is never both written and executed. A C library loads code to look up names.
    fn memory(self, filter: &mut Filter) {
        let data = [Bound::masked(2, libc::PROT_EXEC as u32, 0)];
        #[cfg(target_arch = "arm")]
        let map = libc::SYS_mmap2;
        #[cfg(not(target_arch = "arm"))]
        let map = libc::SYS_mmap;
        for call in [map, libc::SYS_mprotect] {
            if self.names && cfg!(target_env = "gnu") {
                filter.one(call, Verdict::Allow);
            } else {
                filter.bounded(call, &[&data], Verdict::Refuse);
            }
        }
    }

    /// New threads are no new processes; signals are for the process itself.
    fn threads(self, filter: &mut Filter) {
        let thread = libc::CLONE_THREAD as u32;
        // C libraries hold all signals back while they fork, even that of a refusal.
        let no_process = Verdict::Fail(libc::EPERM);
        filter.bounded(libc::SYS_clone, &[&[Bound::masked(0, thread, thread)]], no_process);
        #[cfg(any(target_arch = "x86_64", target_arch = "arm"))]
        for call in [libc::SYS_fork, libc::SYS_vfork] {
            filter.one(call, no_process);
        }
        // Its flags lie in memory. C libraries then use `clone`.
        filter.one(libc::SYS_clone3, Verdict::Fail(libc::ENOSYS));
        filter.bounded(libc::SYS_tgkill, &[&[Bound::is(0, process::id())]], Verdict::Refuse);
        filter.bounded(libc::SYS_tkill, &[&[Bound::is(1, libc::SIGABRT as u32)]], Verdict::Refuse);
        filter.bounded(libc::SYS_prlimit64, &[&[Bound::is(0, 0)]], Verdict::Refuse);
        let names = [libc::PR_SET_NAME as u32, libc::PR_GET_NAME as u32, NAME_MEMORY]
            .map(|what| [Bound::is(0, what)]);
        filter.bounded(libc::SYS_prctl, &names.each_ref().map(|case| &case[..]), Verdict::Refuse);
    }

    /// Sockets of the internet alone, and those only that connect.
    fn sockets(self, filter: &mut Filter) {
        if self.network {
            let mut families = vec![libc::AF_INET, libc::AF_INET6];
            // How the C library learns which kinds of addresses there are.
            families.extend(self.names.then_some(libc::AF_NETLINK));
            let families: Vec<[Bound; 1]> =
                families.into_iter().map(|family| [Bound::is(0, family as u32)]).collect();
            let families: Vec<&[Bound]> = families.iter().map(|case| &case[..]).collect();
            filter.bounded(libc::SYS_socket, &families, Verdict::Refuse);
            if self.names || self.packets {
                filter.one(libc::SYS_bind, Verdict::Allow);
            }
            return;
        }
        // To where they lead already.
        filter.bounded(libc::SYS_sendto, &[&Bound::null(4)], Verdict::Refuse);
        #[cfg(target_arch = "arm")]
        filter.one(libc::SYS_send, Verdict::Allow);
    }

    /// Requests about descriptors, and to cameras and screens; none that types into a terminal.
    fn requests(self, filter: &mut Filter) {
        let about = ABOUT.map(|request| [Bound::is(1, request)]);
        let owners = OWNERS.map(|owner| [Bound::masked(1, OWNER, u32::from(owner) << 8)]);
        let owners = if self.files { &owners[..] } else { &[] };
        let cases: Vec<&[Bound]> = about.iter().chain(owners).map(|case| &case[..]).collect();
        filter.bounded(libc::SYS_ioctl, &cases, Verdict::Refuse);
    }
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
