//! How the screen behind a Linux framebuffer device stores its pixels.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// `FBIOGET_VSCREENINFO` of linux/fb.h
const GET_VARIABLE: libc::Ioctl = 0x4600;
/// `FBIOGET_FSCREENINFO`
const GET_FIXED: libc::Ioctl = 0x4602;
/// `FBIOBLANK`, and `FB_BLANK_UNBLANK`
const BLANK: libc::Ioctl = 0x4611;
const UNBLANK: libc::c_ulong = 0;

/// A screen that is written to like a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Visible pixels per row.
    pub width: u32,
    /// Number of visible rows.
    pub height: u32,
    /// Bytes from the start of one row to the start of the next.
    pub stride: usize,
    /// Byte offset of the visible part in the file.
    pub start: u64,
    /// Bits per pixel.
    pub bits: u32,
    /// The bits of red, green, blue and opacity in a pixel, as a number in native byte order.
    pub channels: [Channel; 4],
}

/// The bits of one channel in a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C)]
pub(crate) struct Channel {
    /// Position of the lowest bit.
    pub offset: u32,
    /// Number of bits; 0 if the screen does not have this channel.
    pub length: u32,
    /// Whether the lowest bit comes first; no driver in use does this.
    msb_right: u32,
}

impl Channel {
    /// `length` bits from bit `offset` on.
    #[cfg(test)]
    pub(crate) const fn new(offset: u32, length: u32) -> Self {
        Self { offset, length, msb_right: 0 }
    }
}

/// `struct fb_var_screeninfo`
#[derive(Default)]
#[repr(C)]
struct Variable {
    size: [u32; 2],
    virtual_size: [u32; 2],
    offset: [u32; 2],
    bits_per_pixel: u32,
    grayscale: u32,
    channels: [Channel; 4],
    nonstd: u32,
    rest: [u32; 19],
}

/// `struct fb_fix_screeninfo`
#[derive(Default)]
#[repr(C)]
struct Fixed {
    id: [u8; 16],
    memory_start: libc::c_ulong,
    memory_length: u32,
    kind: u32,
    kind_aux: u32,
    visual: u32,
    steps: [u16; 3],
    line_length: u32,
    registers_start: libc::c_ulong,
    registers_length: u32,
    accelerator: u32,
    capabilities: u16,
    reserved: [u16; 2],
}

const _: () = assert!(size_of::<Variable>() == 160);
const _: () = assert!(size_of::<Fixed>() == if size_of::<libc::c_ulong>() == 8 { 80 } else { 68 });

/// Queries the device for its size and pixel layout.
///
/// # Errors
/// `ENOTTY` if the file is not a framebuffer.
pub(crate) fn screen(device: &File) -> io::Result<Screen> {
    let (mut variable, mut fixed) = (Variable::default(), Fixed::default());
    let (a, b) = (&raw mut variable, &raw mut fixed);
    // SAFETY: the request writes a `struct fb_var_screeninfo`, whose layout `Variable` has.
    let first = unsafe { libc::ioctl(device.as_raw_fd(), GET_VARIABLE, a) };
    if first < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the request writes a `struct fb_fix_screeninfo`, whose layout `Fixed` has.
    let second = unsafe { libc::ioctl(device.as_raw_fd(), GET_FIXED, b) };
    if second < 0 {
        return Err(io::Error::last_os_error());
    }
    let [width, height] = variable.size;
    let [left, top] = variable.offset.map(u64::from);
    let stride = fixed.line_length as usize;
    let start = top * stride as u64 + left * u64::from(variable.bits_per_pixel / 8);
    Ok(Screen { width, height, stride, start, bits: variable.bits_per_pixel, channels: variable.channels })
}

/// Turns on a screen that the console has blanked. Screens without a backlight to switch fail harmlessly.
pub(crate) fn wake(device: &File) {
    // SAFETY: the request takes its argument by value.
    unsafe { libc::ioctl(device.as_raw_fd(), BLANK, UNBLANK) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_a_framebuffer_is_rejected() {
        for path in ["Cargo.toml", "/dev/null"] {
            let error = screen(&File::open(path).unwrap()).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENOTTY), "{path}");
        }
    }
}
