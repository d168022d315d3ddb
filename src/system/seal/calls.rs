//! System calls by what they are for. What one processor lacks stands with those that have it.

/// A system call.
#[derive(Debug)]
pub(super) struct Call {
    /// `SYS_read`
    name: &'static str,
    pub number: libc::c_long,
}

impl Call {
    /// `read`
    pub(super) fn name(&self) -> &'static str {
        self.name.strip_prefix("SYS_").unwrap_or(self.name)
    }
}

macro_rules! calls {
    ($($name:ident)*) => { &[$(Call { name: stringify!($name), number: libc::$name }),*] };
}

/// What a process does with memory, threads, clocks and what it has open, whatever it is for.
pub(super) const BASIC: &[&[Call]] = &[
    calls![
        SYS_brk SYS_clock_getres SYS_clock_gettime SYS_clock_nanosleep SYS_close SYS_dup SYS_exit
        SYS_exit_group SYS_fcntl SYS_fstat SYS_ftruncate SYS_futex SYS_getegid SYS_geteuid SYS_getgid
        SYS_getpid SYS_getppid SYS_getrandom SYS_getrusage SYS_getsockopt SYS_gettid SYS_gettimeofday
        SYS_getuid SYS_lseek SYS_madvise SYS_membarrier SYS_mremap SYS_munmap SYS_nanosleep SYS_ppoll
        SYS_pread64 SYS_preadv SYS_pwrite64 SYS_pwritev SYS_read SYS_readv SYS_recvfrom SYS_recvmsg
        SYS_restart_syscall SYS_rt_sigaction SYS_rt_sigprocmask SYS_rt_sigreturn SYS_sched_getaffinity
        SYS_sched_yield SYS_set_robust_list SYS_set_tid_address SYS_setsockopt SYS_shutdown SYS_sigaltstack
        SYS_sysinfo SYS_times SYS_uname SYS_write SYS_writev
    ],
    #[cfg(target_arch = "x86_64")]
    calls![SYS_dup2 SYS_poll SYS_rseq SYS_time],
    #[cfg(target_arch = "aarch64")]
    &[Call { name: "rseq", number: 293 }],
    // Times of 64 bits have newer calls beside the old ones.
    #[cfg(target_arch = "arm")]
    &[
        Call { name: "rseq", number: 398 },
        Call { name: "clock_getres_time64", number: 406 },
        Call { name: "clock_gettime64", number: 403 },
        Call { name: "clock_nanosleep_time64", number: 407 },
        Call { name: "futex_time64", number: 422 },
        Call { name: "ppoll_time64", number: 414 },
        Call { name: "cacheflush", number: 0x0f_0002 },
    ],
    #[cfg(target_arch = "arm")]
    calls![
        SYS__llseek SYS_dup2 SYS_fcntl64 SYS_fstat64 SYS_ftruncate64 SYS_getegid32 SYS_geteuid32 SYS_getgid32
        SYS_getuid32 SYS_poll SYS_recv SYS_sigreturn
    ],
];

/// Opens files that Landlock lets it open, makes, renames and removes them.
pub(super) const FILES: &[&[Call]] = &[
    calls![
        SYS_faccessat SYS_fallocate SYS_fdatasync SYS_flock SYS_fstatfs SYS_fsync SYS_getcwd SYS_getdents64
        SYS_linkat SYS_mkdirat SYS_openat SYS_readlinkat SYS_statfs SYS_unlinkat
    ],
    &[
        Call { name: "faccessat2", number: 439 },
        Call { name: "renameat2", number: libc::SYS_renameat2 },
        Call { name: "statx", number: libc::SYS_statx },
    ],
    #[cfg(target_arch = "x86_64")]
    calls![
        SYS_access SYS_link SYS_lstat SYS_mkdir SYS_newfstatat SYS_open SYS_readlink SYS_rename SYS_stat
        SYS_renameat SYS_unlink
    ],
    #[cfg(target_arch = "aarch64")]
    &[Call { name: "newfstatat", number: 79 }, Call { name: "renameat", number: 38 }],
    #[cfg(target_arch = "arm")]
    calls![
        SYS_access SYS_fstatat64 SYS_fstatfs64 SYS_link SYS_lstat64 SYS_mkdir SYS_open SYS_readlink SYS_rename
        SYS_renameat SYS_stat64 SYS_statfs64 SYS_unlink
    ],
];

/// Looks up a file that may be read.
pub(super) const LOOK: &[&[Call]] = &[
    calls![SYS_faccessat SYS_getcwd SYS_openat SYS_readlinkat],
    &[Call { name: "faccessat2", number: 439 }, Call { name: "statx", number: libc::SYS_statx }],
    #[cfg(target_arch = "x86_64")]
    calls![SYS_access SYS_newfstatat SYS_open SYS_readlink SYS_stat],
    #[cfg(target_arch = "aarch64")]
    &[Call { name: "newfstatat", number: 79 }],
    #[cfg(target_arch = "arm")]
    calls![SYS_access SYS_fstatat64 SYS_open SYS_readlink SYS_stat64],
];

/// Talks to a camera. `socket` and `bind` are not among them: they have conditions.
pub(super) const NETWORK: &[&[Call]] = &[
    calls![
        SYS_connect SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait SYS_eventfd2 SYS_getpeername
        SYS_getsockname SYS_sendmmsg SYS_sendmsg SYS_sendto
    ],
    #[cfg(target_arch = "x86_64")]
    calls![SYS_epoll_wait SYS_poll],
    #[cfg(target_arch = "arm")]
    calls![SYS_epoll_wait SYS_send],
];

/// Takes connections. `bind` and `listen` are not among them: the socket listens already.
pub(super) const SERVE: &[&[Call]] = &[
    calls![
        SYS_accept4 SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait SYS_eventfd2 SYS_getpeername SYS_getsockname
    ],
    #[cfg(target_arch = "x86_64")]
    calls![SYS_epoll_wait],
    #[cfg(target_arch = "arm")]
    calls![SYS_epoll_wait SYS_send],
];

/// Limits itself in time, picture by picture.
pub(super) const LIMITS: &[&[Call]] = &[
    calls![SYS_setitimer],
    #[cfg(target_arch = "x86_64")]
    calls![SYS_alarm SYS_getrlimit SYS_setrlimit],
    #[cfg(target_arch = "aarch64")]
    &[Call { name: "getrlimit", number: 163 }, Call { name: "setrlimit", number: 164 }],
    #[cfg(target_arch = "arm")]
    calls![SYS_setrlimit SYS_ugetrlimit],
];

/// Splits off processes, seals, ends and buries them.
pub(super) const FORK: &[&[Call]] = &[
    calls![
        SYS_clone SYS_dup3 SYS_kill SYS_landlock_add_rule SYS_landlock_create_ruleset SYS_landlock_restrict_self
        SYS_memfd_create SYS_pipe2 SYS_prctl SYS_prlimit64 SYS_seccomp SYS_sendmsg SYS_socketpair SYS_tgkill SYS_tkill
        SYS_wait4 SYS_waitid
    ],
    #[cfg(any(target_arch = "x86_64", target_arch = "arm"))]
    calls![SYS_fork],
];

/// What no part of this program ever does, and what those do first who have taken over a process: it ends at
/// once.
pub(super) const FATAL: &[&[Call]] = &[
    calls![
        SYS_acct SYS_add_key SYS_bpf SYS_chroot SYS_delete_module SYS_execve SYS_execveat SYS_finit_module
        SYS_init_module SYS_kcmp SYS_kexec_load SYS_keyctl SYS_mount SYS_open_by_handle_at
        SYS_perf_event_open SYS_personality SYS_pivot_root SYS_process_vm_readv SYS_process_vm_writev
        SYS_ptrace SYS_quotactl SYS_reboot SYS_request_key SYS_setns SYS_swapoff SYS_swapon SYS_umount2
        SYS_unshare SYS_userfaultfd
    ],
    // These have the same numbers everywhere.
    &[
        Call { name: "io_uring_setup", number: 425 },
        Call { name: "io_uring_enter", number: 426 },
        Call { name: "io_uring_register", number: 427 },
        Call { name: "open_tree", number: 428 },
        Call { name: "move_mount", number: 429 },
        Call { name: "fsopen", number: 430 },
        Call { name: "fsconfig", number: 431 },
        Call { name: "fsmount", number: 432 },
        Call { name: "fspick", number: 433 },
        Call { name: "pidfd_getfd", number: 438 },
        Call { name: "process_madvise", number: 440 },
        Call { name: "mount_setattr", number: 442 },
    ],
    #[cfg(target_arch = "aarch64")]
    &[Call { name: "kexec_file_load", number: 294 }],
    #[cfg(target_arch = "x86_64")]
    calls![SYS_ioperm SYS_iopl SYS_kexec_file_load SYS_modify_ldt],
];

/// What is refused and has a name for it in messages.
const REFUSED: &[&[Call]] = &[
    calls![
        SYS_accept SYS_accept4 SYS_adjtimex SYS_bind SYS_chdir SYS_clock_adjtime SYS_clone SYS_clone3 SYS_fchmod SYS_fchown SYS_ioctl SYS_listen
        SYS_mknodat SYS_mprotect SYS_prctl SYS_socket SYS_symlinkat SYS_truncate SYS_utimensat
    ],
    #[cfg(target_arch = "x86_64")]
    calls![SYS_arch_prctl SYS_chmod SYS_mmap SYS_rmdir SYS_symlink SYS_vfork],
    #[cfg(target_arch = "aarch64")]
    calls![SYS_mmap],
    #[cfg(target_arch = "arm")]
    calls![SYS_chmod SYS_mmap2 SYS_rmdir SYS_symlink SYS_vfork],
];

/// The name of the system call with this number.
pub(super) fn name(number: libc::c_long) -> Option<&'static str> {
    let all = [BASIC, FILES, LOOK, NETWORK, SERVE, LIMITS, FORK, FATAL, REFUSED];
    let mut calls = all.into_iter().flatten().copied().flatten();
    calls.find(|call| call.number == number).map(Call::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_names() {
        assert_eq!(name(libc::SYS_openat), Some("openat"));
        assert_eq!(name(libc::SYS_ptrace), Some("ptrace"));
        assert_eq!(name(-1), None);
    }

    /// What ends the process is in no other list.
    #[test]
    fn nothing_is_both_allowed_and_fatal() {
        let allowed = [BASIC, FILES, LOOK, NETWORK, SERVE, LIMITS, FORK];
        for call in allowed.into_iter().flatten().copied().flatten() {
            let mut fatal = FATAL.iter().copied().flatten();
            assert!(fatal.all(|other| other.number != call.number), "{}", call.name());
        }
    }
}
