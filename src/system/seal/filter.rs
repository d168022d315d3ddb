//! A filter of system calls as the kernel takes it: a program of classic BPF.
//!
//! The crate `seccompiler` knows no 32-bit ARM, on which this program runs as well.

use std::io;
use std::ptr::null;

use super::calls::Call;

/// Where a filter finds the number of the call, the processor, and the halves of arguments, in
/// `struct seccomp_data` of linux/seccomp.h.
const NUMBER: u32 = 0;
const PROCESSOR: u32 = 4;
const ARGUMENTS: u32 = 16;

/// `AUDIT_ARCH_…` of linux/audit.h
#[cfg(target_arch = "x86_64")]
pub(super) const AUDIT: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
pub(super) const AUDIT: u32 = 0xc000_00b7;
#[cfg(target_arch = "arm")]
pub(super) const AUDIT: u32 = 0x4000_0028;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const AND: u16 = (libc::BPF_ALU | libc::BPF_AND | libc::BPF_K) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Keeps the processor's speculation as it is: nothing foreign is compiled and run here, and without it,
/// kernels before 5.16 slow down every process with a filter.
const SPECULATE: libc::c_ulong = 1 << 2;

/// What becomes of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    Allow,
    /// The call fails with `EPERM`, and is told.
    Refuse,
    /// The call fails with this error, and is not told.
    Fail(i32),
    /// The process ends.
    Kill,
}

impl Verdict {
    fn code(self) -> u32 {
        match self {
            Self::Allow => libc::SECCOMP_RET_ALLOW,
            Self::Refuse => libc::SECCOMP_RET_TRAP | libc::EPERM as u32,
            Self::Fail(error) => libc::SECCOMP_RET_ERRNO | error as u32,
            Self::Kill => libc::SECCOMP_RET_KILL_PROCESS,
        }
    }
}

/// A bound on half of an argument: 32 bits, of which those in `mask` must have `value`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    half: u32,
    mask: u32,
    value: u32,
}

impl Bound {
    /// The lower half of the argument with this index has this value.
    pub(super) fn is(argument: u32, value: u32) -> Self {
        Self::masked(argument, u32::MAX, value)
    }

    /// The bits in `mask` of the lower half have this value.
    pub(super) fn masked(argument: u32, mask: u32, value: u32) -> Self {
        Self { half: 2 * argument, mask, value }
    }

    /// The argument is a pointer to nothing.
    pub(super) fn null(argument: u32) -> [Self; 2] {
        [0, 1].map(|half| Self { half: 2 * argument + half, mask: u32::MAX, value: 0 })
    }
}

/// A filter that is being put together. The first rule for a call counts; what has none is refused.
#[derive(Debug)]
pub(super) struct Filter(Vec<libc::sock_filter>);

impl Filter {
    pub(super) fn new() -> Self {
        let mut filter = Self(Vec::new());
        filter.step(LOAD, PROCESSOR);
        // Calls of another processor's have other numbers.
        filter.jump(AUDIT, 1, 0);
        filter.end(Verdict::Kill);
        filter.step(LOAD, NUMBER);
        filter
    }

    /// One verdict for all these calls.
    pub(super) fn all(&mut self, groups: &[&[Call]], verdict: Verdict) {
        groups.iter().copied().flatten().for_each(|call| self.one(call.number, verdict));
    }

    pub(super) fn one(&mut self, call: libc::c_long, verdict: Verdict) {
        self.jump(call as u32, 0, 1);
        self.end(verdict);
    }

    /// A call that is allowed where all bounds of one of the `cases` hold.
    pub(super) fn bounded(&mut self, call: libc::c_long, cases: &[&[Bound]], otherwise: Verdict) {
        let length: usize = cases.iter().map(|case| 3 * case.len() + 1).sum::<usize>() + 1;
        self.jump(call as u32, 0, u8::try_from(length).unwrap_or(u8::MAX));
        for case in cases {
            for (index, bound) in case.iter().enumerate() {
                let behind = u8::try_from(3 * (case.len() - 1 - index) + 1).unwrap_or(u8::MAX);
                self.step(LOAD, ARGUMENTS + 4 * bound.half);
                self.step(AND, bound.mask);
                self.jump(bound.value, 0, behind);
            }
            self.end(Verdict::Allow);
        }
        self.end(otherwise);
    }

    /// The program.
    pub(super) fn finish(mut self) -> Vec<libc::sock_filter> {
        self.end(Verdict::Refuse);
        self.0
    }

    fn step(&mut self, code: u16, k: u32) {
        self.0.push(libc::sock_filter { code, jt: 0, jf: 0, k });
    }

    fn jump(&mut self, value: u32, jt: u8, jf: u8) {
        self.0.push(libc::sock_filter { code: IF_EQUAL, jt, jf, k: value });
    }

    fn end(&mut self, verdict: Verdict) {
        self.step(RETURN, verdict.code());
    }
}

/// Holds all threads of the process, and those that it will have, to a filter.
///
/// # Errors
/// The kernel has no filters.
pub(super) fn install(program: &mut [libc::sock_filter]) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    let mut refused = io::Error::from(io::ErrorKind::Unsupported);
    for flags in [libc::SECCOMP_FILTER_FLAG_TSYNC | SPECULATE, libc::SECCOMP_FILTER_FLAG_TSYNC] {
        // SAFETY: the kernel reads `program` and the steps that it points to, both of which outlive the call.
        let answer = unsafe {
            libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
        };
        match answer {
            0 => return Ok(()),
            -1 => refused = io::Error::last_os_error(),
            thread => return Err(io::Error::other(format!("thread {thread} has a filter of its own"))),
        }
    }
    Err(refused)
}

/// Whether the kernel has filters.
pub(super) fn is_available() -> bool {
    let (what, flags) = (libc::c_long::from(1_u8), libc::c_long::from(0_u8));
    // SAFETY: `SECCOMP_SET_MODE_FILTER` without a filter changes nothing: where there are filters, it misses
    // this one.
    let answer = unsafe { libc::syscall(libc::SYS_seccomp, what, flags, null::<libc::sock_fprog>()) };
    answer == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
}
