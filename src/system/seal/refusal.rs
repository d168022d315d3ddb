//! What happens where the seal refuses a system call: a line in the log, and the call fails.

use std::mem::zeroed;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

use super::calls::name;
use crate::system::errors::descriptor;

/// One bit for each call that has been told.
static TOLD: [AtomicU32; 16] = [const { AtomicU32::new(0) }; 16];

/// `siginfo_t` of SIGSYS
#[repr(C)]
struct Refused {
    signal: libc::c_int,
    error: libc::c_int,
    code: libc::c_int,
    address: *mut libc::c_void,
    call: libc::c_int,
    processor: libc::c_uint,
}

/// From now on, refused calls are told on standard error, each once.
pub(super) fn listen() {
    // SAFETY: all-zero bytes are a valid `sigaction`; the handler has the signature that SA_SIGINFO asks for.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = handle as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        libc::sigaction(libc::SIGSYS, &raw const action, null_mut());
    }
}

/// Runs in the middle of anything: allocates nothing and locks nothing.
extern "C" fn handle(_: libc::c_int, about: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes a `siginfo_t` of SIGSYS, whose layout `Refused` has.
    let refused = unsafe { &*about.cast::<Refused>() };
    tell(refused.call);
    // SAFETY: the kernel passes the interrupted thread's `ucontext_t`, which it reads again on return.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext };
    let answer = -refused.error;
    #[cfg(target_arch = "x86_64")]
    if let Some(register) = registers.gregs.get_mut(libc::REG_RAX as usize) {
        *register = answer.into();
    }
    #[cfg(target_arch = "aarch64")]
    if let Some(register) = registers.regs.first_mut() {
        *register = i64::from(answer) as u64;
    }
    #[cfg(target_arch = "arm")]
    {
        registers.arm_r0 = answer as libc::c_ulong;
    }
}

/// Writes a line, unless it was written before.
fn tell(call: libc::c_int) {
    let number = call.unsigned_abs() as usize % (32 * TOLD.len());
    let bit = 1 << (number % 32);
    let before = TOLD.get(number / 32).map_or(0, |told| told.fetch_or(bit, Ordering::Relaxed));
    if before & bit != 0 {
        return;
    }
    let mut digits = [0; 10];
    let named = name(call.into()).map_or_else(|| decimal(call.unsigned_abs(), &mut digits), str::as_bytes);
    let pieces: [&[u8]; 3] = [b"edgeclip: warning: the seal has refused the system call ", named, b"\n"];
    let pieces =
        pieces.map(|piece| libc::iovec { iov_base: piece.as_ptr().cast_mut().cast(), iov_len: piece.len() });
    // SAFETY: the kernel reads three pieces, which outlive the call.
    unsafe { libc::writev(descriptor(), pieces.as_ptr(), 3) };
}

/// A number in digits.
fn decimal(mut number: u32, digits: &mut [u8; 10]) -> &[u8] {
    let mut first = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        first = index;
        if number == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_digits() {
        for number in [0, 7, 10, 463, u32::MAX] {
            assert_eq!(decimal(number, &mut [0; 10]), number.to_string().as_bytes());
        }
    }
}
