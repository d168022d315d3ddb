//! What filters say of calls, computed as the kernel does it: also where there is no kernel to ask.

use super::super::filter::AUDIT;
use super::*;

/// What becomes of a call with these arguments.
fn verdict(profile: Profile, call: libc::c_long, arguments: &[u64]) -> u32 {
    let argument =
        |half: usize| arguments.get(half / 2).map_or(0, |value| (value >> (32 * (half % 2))) as u32);
    let (program, mut at, mut held) = (profile.filter().finish(), 0, 0);
    loop {
        let libc::sock_filter { code, jt, jf, k } = program[at];
        at += 1;
        match u32::from(code) {
            0x20 => {
                held = match k {
                    0 => call as u32,
                    4 => AUDIT,
                    offset => argument((offset as usize - 16) / 4),
                }
            }
            0x54 => held &= k,
            0x15 => at += usize::from(if held == k { jt } else { jf }),
            0x06 => return k & 0xffff_0000,
            other => panic!("{other:#x}"),
        }
    }
}

const ALLOWED: u32 = libc::SECCOMP_RET_ALLOW;
const REFUSED: u32 = libc::SECCOMP_RET_TRAP;
const KILLED: u32 = libc::SECCOMP_RET_KILL_PROCESS;

fn run() -> Profile {
    Profile { files: true, ..Profile::default() }
}

fn pictures() -> Profile {
    Profile { limits: true, ..Profile::default() }
}

fn camera() -> Profile {
    Profile { network: true, ..pictures() }
}

#[test]
fn everybody_reads_and_nobody_executes() {
    let nursery = Profile { network: true, limits: true, forks: true, ..Profile::default() };
    for profile in [run(), pictures(), camera(), nursery] {
        assert_eq!(verdict(profile, libc::SYS_read, &[]), ALLOWED);
        assert_eq!(verdict(profile, libc::SYS_clone3, &[]), libc::SECCOMP_RET_ERRNO);
        for call in [libc::SYS_execve, libc::SYS_ptrace, libc::SYS_mount, libc::SYS_bpf, 425] {
            assert_eq!(verdict(profile, call, &[]), KILLED, "{call}");
        }
        for call in [libc::SYS_listen, libc::SYS_accept4, libc::SYS_fchmod, 9999] {
            assert_eq!(verdict(profile, call, &[]), REFUSED, "{call}");
        }
        let (write, execute) = (libc::PROT_WRITE as u64, libc::PROT_EXEC as u64);
        assert_eq!(verdict(profile, libc::SYS_mprotect, &[0, 0, write]), ALLOWED);
        assert_eq!(verdict(profile, libc::SYS_mprotect, &[0, 0, write | execute]), REFUSED);
        let thread = libc::CLONE_THREAD as u64;
        assert_eq!(verdict(profile, libc::SYS_clone, &[thread]), ALLOWED);
        let (fork, share) = match profile.forks {
            true => (ALLOWED, ALLOWED),
            false => (libc::SECCOMP_RET_ERRNO, REFUSED),
        };
        assert_eq!(verdict(profile, libc::SYS_clone, &[libc::SIGCHLD as u64]), fork);
        assert_eq!(verdict(profile, libc::SYS_memfd_create, &[]), share);
    }
}

#[test]
fn only_who_reads_a_camera_has_sockets_and_only_those_of_the_internet() {
    let families = [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX, libc::AF_NETLINK, libc::AF_PACKET];
    let of = |profile: Profile| families.map(|family| verdict(profile, libc::SYS_socket, &[family as u64]));
    assert_eq!(of(run()), [REFUSED; 5]);
    assert_eq!(of(pictures()), [REFUSED; 5]);
    assert_eq!(of(camera()), [ALLOWED, ALLOWED, REFUSED, REFUSED, REFUSED]);
    let named = Profile { names: true, ..camera() };
    assert_eq!(of(named), [ALLOWED, ALLOWED, REFUSED, ALLOWED, REFUSED]);
    let bind = |profile| verdict(profile, libc::SYS_bind, &[]);
    assert_eq!(
        [run(), camera(), Profile { packets: true, ..camera() }].map(bind),
        [REFUSED, REFUSED, ALLOWED]
    );
    // To where a socket leads already, and to no address, wherever it lies.
    for (address, expected) in [(0, ALLOWED), (1, REFUSED), (1 << 32, REFUSED)] {
        assert_eq!(verdict(run(), libc::SYS_sendto, &[5, 0, 0, 0, address]), expected, "{address:#x}");
    }
    assert_eq!(verdict(run(), libc::SYS_sendmsg, &[]), REFUSED);
}

#[test]
fn only_who_serves_takes_connections_and_on_no_other_socket() {
    let serves = Profile { serves: true, ..run() };
    let calls = [libc::SYS_accept4, libc::SYS_bind, libc::SYS_listen, libc::SYS_connect];
    let of = |profile: Profile| calls.map(|call| verdict(profile, call, &[]));
    assert_eq!(of(serves), [ALLOWED, REFUSED, REFUSED, REFUSED]);
    assert_eq!(of(run()), [REFUSED; 4]);
    assert_eq!(verdict(serves, libc::SYS_socket, &[libc::AF_INET as u64]), REFUSED);
    assert_eq!(verdict(serves, libc::SYS_sendto, &[5, 0, 0, 0, 1]), REFUSED);
}

#[test]
fn only_the_program_itself_opens_files_and_controls_devices() {
    let calls = [libc::SYS_openat, libc::SYS_unlinkat, libc::SYS_mkdirat];
    let of = |profile: Profile| calls.map(|call| verdict(profile, call, &[]));
    assert_eq!(of(run()), [ALLOWED; 3]);
    assert_eq!(of(camera()), [REFUSED; 3]);
    assert_eq!(of(Profile { names: true, ..camera() }), [ALLOWED, REFUSED, REFUSED]);
    // VIDIOC_QUERYCAP, FIONBIO, TIOCSTI.
    let requests = [0x8068_5600, 0x5421, 0x5412];
    let of = |profile: Profile| requests.map(|request| verdict(profile, libc::SYS_ioctl, &[0, request]));
    assert_eq!(of(run()), [ALLOWED, ALLOWED, REFUSED]);
    assert_eq!(of(camera()), [REFUSED, ALLOWED, REFUSED]);
}

#[test]
fn signals_are_for_the_process_itself() {
    let own = u64::from(process::id());
    assert_eq!(verdict(run(), libc::SYS_tgkill, &[own]), ALLOWED);
    assert_eq!(verdict(run(), libc::SYS_tgkill, &[own + 1]), REFUSED);
    assert_eq!(verdict(run(), libc::SYS_kill, &[own]), REFUSED);
    assert_eq!(verdict(run(), libc::SYS_prlimit64, &[0]), ALLOWED);
    assert_eq!(verdict(run(), libc::SYS_prlimit64, &[own]), REFUSED);
}
