//! V4L2 requests for which `v4l`'s wrappers are not used, since they panic on some answers of drivers: a name
//! cut inside a character, a colour space newer than the crate.

use std::ffi::c_void;
use std::io;
use std::mem::zeroed;
use std::path::Path;

use v4l::v4l_sys::{v4l2_capability, v4l2_fmtdesc, v4l2_format, v4l2_pix_format};
use v4l::v4l2::{ioctl, vidioc};
use v4l::{Device, FourCC};

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`
const VIDEO_CAPTURE: u32 = 1;
/// `V4L2_FIELD_NONE`: whole pictures, not every other row.
const PROGRESSIVE: u32 = 1;
/// `V4L2_COLORSPACE_JPEG`
const COLORSPACE_JPEG: u32 = 7;
/// `V4L2_QUANTIZATION_FULL_RANGE`
const FULL_RANGE: u32 = 1;

/// What a device says about itself.
pub(super) struct Capability {
    /// Human-readable name.
    pub card: String,
    /// The kernel driver.
    pub driver: String,
    /// `V4L2_CAP_…` of this device node.
    flags: u32,
}

impl Capability {
    /// Whether it captures each picture in a single buffer.
    pub(crate) fn captures(&self) -> bool {
        const STREAMING: u32 = 0x0400_0000;
        self.flags & VIDEO_CAPTURE_CAPABILITY != 0 && self.flags & STREAMING != 0
    }

    /// Whether it captures each plane in a buffer of its own.
    pub(crate) fn is_multi_planar(&self) -> bool {
        const MULTI_PLANAR: u32 = 0x1000;
        self.flags & MULTI_PLANAR != 0 && !self.captures()
    }
}

const VIDEO_CAPTURE_CAPABILITY: u32 = 1;

/// The format that the driver has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Given {
    pub fourcc: [u8; 4],
    pub width: u32,
    pub height: u32,
    /// Bytes from one row to the next; 0 in compressed formats.
    pub stride: usize,
    /// Whether Y, U and V use the full range of 256 values.
    pub full_range: bool,
}

/// Opens a device node for reading and writing.
pub(super) fn open(path: &Path) -> io::Result<Device> {
    Device::with_path(path)
}

/// `VIDIOC_QUERYCAP`
pub(super) fn capability(device: &Device) -> io::Result<Capability> {
    // SAFETY: all fields are integers, for which zero is a value.
    let mut answer: v4l2_capability = unsafe { zeroed() };
    // SAFETY: the request takes this type.
    unsafe { request(device, vidioc::VIDIOC_QUERYCAP, &mut answer)? };
    // In drivers without `device_caps`, `capabilities` are those of the node.
    const DEVICE_CAPS: u32 = 0x8000_0000;
    let flags = if answer.capabilities & DEVICE_CAPS != 0 { answer.device_caps } else { answer.capabilities };
    Ok(Capability { card: text(&answer.card), driver: text(&answer.driver), flags })
}

/// `VIDIOC_ENUM_FMT`: codes of all formats that the device captures, in its order.
pub(super) fn formats(device: &Device) -> Vec<[u8; 4]> {
    let mut found = Vec::new();
    for index in 0..256 {
        // SAFETY: all fields are integers, for which zero is a value.
        let mut answer = v4l2_fmtdesc { index, type_: VIDEO_CAPTURE, ..unsafe { zeroed() } };
        // SAFETY: the request takes this type.
        if unsafe { request(device, vidioc::VIDIOC_ENUM_FMT, &mut answer) }.is_err() {
            break;
        }
        found.push(answer.pixelformat.to_le_bytes());
    }
    found
}

/// `VIDIOC_S_FMT`: asks for a format and size; the driver answers with what it has set, which may differ.
pub(super) fn set_format(device: &Device, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Given> {
    // SAFETY: all fields are integers, for which zero is a value; zero stride and size let the driver choose.
    let mut answer: v4l2_format = unsafe { zeroed() };
    answer.type_ = VIDEO_CAPTURE;
    answer.fmt.pix = v4l2_pix_format {
        width,
        height,
        pixelformat: FourCC::new(&fourcc).into(),
        field: PROGRESSIVE,
        // SAFETY: as above.
        ..unsafe { zeroed() }
    };
    // SAFETY: the request takes this type.
    unsafe { request(device, vidioc::VIDIOC_S_FMT, &mut answer)? };
    // SAFETY: `type_` says that the union holds `pix`.
    let pix = unsafe { answer.fmt.pix };
    // SAFETY: the field is an integer in each of the union's forms.
    let quantization = pix.quantization;
    // The kernel's default is full range only for the JPEG colour space.
    let full_range = quantization == FULL_RANGE || quantization == 0 && pix.colorspace == COLORSPACE_JPEG;
    Ok(Given {
        fourcc: pix.pixelformat.to_le_bytes(),
        width: pix.width,
        height: pix.height,
        stride: pix.bytesperline as usize,
        full_range,
    })
}

/// Makes one request.
///
/// # Safety
/// `T` must be the type that `code` takes.
pub(super) unsafe fn request<T>(
    device: &Device,
    code: vidioc::_IOC_TYPE,
    argument: &mut T,
) -> io::Result<()> {
    // SAFETY: the pointer is valid for reading and writing a `T`, which the caller guarantees.
    unsafe { ioctl(device.handle().fd(), code, std::ptr::from_mut(argument).cast::<c_void>()) }
}

/// The text up to the first zero byte.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}
