//! The kernel's text console on the screen.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::linux::fs::MetadataExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::text;

/// `KDSETMODE` and `KDGETMODE` of linux/kd.h
const SET_MODE: libc::Ioctl = 0x4b3a;
const GET_MODE: libc::Ioctl = 0x4b3b;
/// `KD_TEXT` and `KD_GRAPHICS`
const TEXT: libc::c_ulong = 0;
const GRAPHICS: libc::c_ulong = 1;
/// `FBIOGET_CON2FBMAP` of linux/fb.h
const GET_MAP: libc::Ioctl = 0x460f;
/// File with the name of the foreground console, such as `tty1`.
const ACTIVE: &str = "/sys/class/tty/tty0/active";

/// `struct fb_con2fbmap`
#[repr(C)]
struct Map {
    console: u32,
    framebuffer: u32,
}

/// Keeps a text console from drawing, text and cursor alike, until dropped; then the
/// console redraws its text.
#[derive(Debug)]
pub(crate) struct HiddenConsole(File);

impl HiddenConsole {
    /// Hides the console on the screen behind `framebuffer`. `None` if there is none on it: it is on another
    /// screen, a desktop has replaced it, or the machine has no console.
    ///
    /// # Errors
    /// `EPERM` or `EACCES`: hiding it needs root, or the console as controlling terminal.
    pub(crate) fn on(framebuffer: &File) -> io::Result<Option<Self>> {
        let active = text(Path::new(ACTIVE)).and_then(|name| name.strip_prefix("tty")?.parse().ok());
        if !active.is_some_and(|number| shows(framebuffer, number).unwrap_or(false)) {
            return Ok(None);
        }
        let mut refused = None;
        // The controlling terminal, which needs no privileges, then the foreground console.
        for path in ["/dev/tty", "/dev/tty0"] {
            let opened = OpenOptions::new().write(true).custom_flags(libc::O_NOCTTY).open(path);
            match opened.and_then(Self::hide) {
                Ok(hidden) => return Ok(hidden),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => refused = Some(error),
                // No such terminal, or it is not a console.
                Err(_) => {}
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn hide(console: File) -> io::Result<Option<Self>> {
        let mut mode: libc::c_int = 0;
        // SAFETY: the request writes an int.
        succeeded(unsafe { libc::ioctl(console.as_raw_fd(), GET_MODE, &raw mut mode) })?;
        if mode as libc::c_ulong != TEXT {
            return Ok(None);
        }
        // SAFETY: the request takes its argument by value.
        succeeded(unsafe { libc::ioctl(console.as_raw_fd(), SET_MODE, GRAPHICS) })?;
        Ok(Some(Self(console)))
    }
}

impl Drop for HiddenConsole {
    fn drop(&mut self) {
        // SAFETY: the request takes its argument by value.
        unsafe { libc::ioctl(self.0.as_raw_fd(), SET_MODE, TEXT) };
    }
}

/// Whether the console with this number is drawn on this framebuffer.
fn shows(framebuffer: &File, console: u32) -> io::Result<bool> {
    let mut map = Map { console, framebuffer: u32::MAX };
    // SAFETY: the request reads and writes a `struct fb_con2fbmap`, which `Map` is.
    succeeded(unsafe { libc::ioctl(framebuffer.as_raw_fd(), GET_MAP, &raw mut map) })?;
    Ok(map.framebuffer == libc::minor(framebuffer.metadata()?.st_rdev()))
}

fn succeeded(answer: libc::c_int) -> io::Result<()> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_devices_are_left_alone() {
        let null = || OpenOptions::new().write(true).open("/dev/null").unwrap();
        assert_eq!(HiddenConsole::hide(null()).unwrap_err().raw_os_error(), Some(libc::ENOTTY));
        assert_eq!(shows(&null(), 1).unwrap_err().raw_os_error(), Some(libc::ENOTTY));
        assert!(HiddenConsole::on(&null()).unwrap().is_none());
    }
}
