//! Descriptors that go from one process to another.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

/// Bytes for a message with a few descriptors, aligned as its header must be.
#[repr(C)]
union Ancillary {
    bytes: [u8; 64],
    _aligned: libc::cmsghdr,
}

/// Most descriptors of a message.
const MOST: usize = 4;

/// So many descriptors in bytes.
const fn length<const N: usize>() -> u32 {
    assert!(N <= MOST, "there is room for them");
    (N * size_of::<RawFd>()) as u32
}

/// Sends descriptors with one byte.
///
/// # Errors
/// Nobody is there.
pub(crate) fn send_descriptors<const N: usize>(
    to: &UnixStream,
    descriptors: [BorrowedFd<'_>; N],
) -> io::Result<()> {
    let length = const { length::<N>() };
    let mut byte = [0_u8];
    let mut ancillary = Ancillary { bytes: [0; 64] };
    let mut piece = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    // SAFETY: all-zero bytes are a valid `msghdr`. `Ancillary` is aligned for a header and has room for `MOST`
    // descriptors, so that the macros stay inside; the kernel reads what the message points to, all of which
    // outlives the call.
    let sent = unsafe {
        let mut message: libc::msghdr = zeroed();
        (message.msg_iov, message.msg_iovlen) = (&raw mut piece, 1);
        message.msg_control = (&raw mut ancillary).cast();
        message.msg_controllen = libc::CMSG_SPACE(length) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(length) as _;
        let numbers = descriptors.map(|descriptor| descriptor.as_raw_fd());
        libc::CMSG_DATA(header).cast::<[RawFd; N]>().write_unaligned(numbers);
        libc::sendmsg(to.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
    };
    if sent == 1 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Waits for so many descriptors.
///
/// # Errors
/// Nobody is there, or sends anything else.
pub(crate) fn receive_descriptors<const N: usize>(from: &UnixStream) -> io::Result<[OwnedFd; N]> {
    let length = const { length::<N>() };
    let mut byte = [0_u8];
    let mut ancillary = Ancillary { bytes: [0; 64] };
    let mut piece = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    // SAFETY: as in `send_descriptors`; the kernel writes to what the message points to, and the header that it
    // leaves is inside `ancillary`.
    let numbers = unsafe {
        let mut message: libc::msghdr = zeroed();
        (message.msg_iov, message.msg_iovlen) = (&raw mut piece, 1);
        message.msg_control = (&raw mut ancillary).cast();
        message.msg_controllen = libc::CMSG_SPACE(length) as _;
        match libc::recvmsg(from.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC) {
            -1 => return Err(io::Error::last_os_error()),
            1 => {}
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        let is_ours = !header.is_null()
            && (*header).cmsg_type == libc::SCM_RIGHTS
            && (*header).cmsg_len as usize == libc::CMSG_LEN(length) as usize;
        if !is_ours {
            return Err(io::ErrorKind::InvalidData.into());
        }
        libc::CMSG_DATA(header).cast::<[RawFd; N]>().read_unaligned()
    };
    // SAFETY: the kernel has made them for this process, and nobody else has them.
    Ok(numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) }))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek, Write};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn what_arrives_is_the_same_file() {
        let (here, there) = UnixStream::pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        send_descriptors(&here, [file.as_fd(), here.as_fd()]).unwrap();
        let [copy, _] = receive_descriptors(&there).unwrap();
        let mut copy = File::from(copy);
        copy.write_all(b"written there").unwrap();
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "written there");
    }

    #[test]
    fn other_messages_are_refused() {
        let (mut here, there) = UnixStream::pair().unwrap();
        here.write_all(b"x").unwrap();
        assert_eq!(receive_descriptors::<2>(&there).unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop(here);
        assert_eq!(receive_descriptors::<2>(&there).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
