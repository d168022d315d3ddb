//! Where messages go when standard error is another's.

use std::fs::File;
use std::io::{self, Write, stderr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::OnceLock;

/// Standard error as it was before [`divert_errors`].
static KEPT: OnceLock<File> = OnceLock::new();

/// Standard error of the program, whoever else writes to descriptor 2.
pub(crate) struct Errors;

impl Write for Errors {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match KEPT.get() {
            Some(mut kept) => kept.write(bytes),
            None => stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The descriptor of standard error of the program.
pub(super) fn descriptor() -> i32 {
    KEPT.get().map_or(libc::STDERR_FILENO, AsRawFd::as_raw_fd)
}

/// What the Rust runtime, the C library and others write to descriptor 2 goes to `to` from now on, and only
/// [`Errors`] still writes to standard error.
///
/// # Errors
/// No descriptor is left.
pub(crate) fn divert_errors(to: BorrowedFd<'_>) -> io::Result<()> {
    let kept = File::from(stderr().as_fd().try_clone_to_owned()?);
    KEPT.get_or_init(|| kept);
    replace(to, libc::STDERR_FILENO)
}

/// Makes one of the three standard descriptors another name of `with`.
///
/// # Errors
/// The system refuses it.
pub(super) fn replace(with: BorrowedFd<'_>, descriptor: i32) -> io::Result<()> {
    // SAFETY: takes numbers; `with` is open, and the standard descriptors are nobody's property.
    if unsafe { libc::dup2(with.as_raw_fd(), descriptor) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Reading from it and writing to it never waits.
///
/// # Errors
/// The system refuses it.
pub(crate) fn never_wait(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes numbers.
    if unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
