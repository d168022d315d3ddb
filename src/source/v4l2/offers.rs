//! Lists cameras and what they offer; explains why a device cannot be used.

use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use v4l::video::Capture;
use v4l::{Device, FourCC};

use super::control::CameraControl;
use super::fourcc::{self, FourCc};
use super::{control_io, device};
use crate::error::{self, Error, Result};

/// What to do with a camera that only its vendor's program can drive. Descriptor 3, because
/// `nvarguscamerasrc` prints to standard output.
const PIPE: &str = "a single-planar camera; pipe this one in: on a Raspberry Pi `rpicam-vid -t 0 -n --codec mjpeg -o - | \
    edgeclip run --source - …`, on a Jetson `gst-launch-1.0 -q nvarguscamerasrc ! nvjpegenc ! fdsink fd=3 3>&1 >&2 | edgeclip run --source - …`";

/// What is reported as found if a device may not be opened.
pub(crate) const NO_PERMISSION: &str = "no permission";

/// `ENOTTY` of errno(3): the device does not support the request.
const NO_SUCH_REQUEST: i32 = 25;

/// A camera and what it offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offers {
    /// The device, such as `/dev/video0`.
    pub path: PathBuf,
    /// The camera's name.
    pub card: String,
    /// The kernel driver.
    pub driver: String,
    /// Its supported formats.
    pub formats: Vec<Offer>,
    /// Its settable controls, in the driver's order.
    pub controls: Vec<CameraControl>,
}

/// A pixel format of a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    /// The format.
    pub format: FourCc,
    /// Readable sizes: `640x480`, or a range.
    pub sizes: Vec<String>,
}

/// Every video device, sorted by number: what it offers, or why it cannot be used. Devices that are not
/// cameras, such as webcams' metadata nodes, are skipped.
pub(crate) fn cameras() -> Vec<Result<Offers>> {
    let Ok(entries) = std::fs::read_dir("/dev") else { return Vec::new() };
    let number = |path: &Path| path.file_name()?.to_str()?.strip_prefix("video")?.parse::<u32>().ok();
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<(u32, PathBuf)> = paths.filter_map(|path| Some((number(&path)?, path))).collect();
    paths.sort();
    paths.into_iter().filter_map(|(_, path)| offers(path).transpose()).collect()
}

/// What the device offers; `None` if it is not a camera.
fn offers(path: PathBuf) -> Result<Option<Offers>> {
    let name = path.display().to_string();
    let device = node(&path)?;
    let capability = device::capability(&device).map_err(|error| refused(&name, error))?;
    if !capability.captures() && !capability.is_multi_planar() {
        return Ok(None);
    }
    if capability.is_multi_planar() {
        return Err(multi_planar(&name, &capability.driver));
    }
    let offered = device::formats(&device);
    let usable: Vec<FourCc> =
        FourCc::ALL.into_iter().filter(|known| offered.contains(&known.code())).collect();
    if usable.is_empty() {
        return Err(unusable(&name, &offered));
    }
    let formats = usable.into_iter().map(|format| Offer { format, sizes: sizes(&device, format) });
    let formats = formats.collect();
    let controls = control_io::list(&device).into_iter().map(|numbered| numbered.control).collect();
    Ok(Some(Offers { path, card: capability.card, driver: capability.driver, formats, controls }))
}

fn sizes(device: &Device, format: FourCc) -> Vec<String> {
    let found = device.enum_framesizes(FourCC::new(&format.code())).unwrap_or_default();
    let text = |size: v4l::FrameSize| match size.size {
        v4l::framesize::FrameSizeEnum::Discrete(size) => format!("{}x{}", size.width, size.height),
        v4l::framesize::FrameSizeEnum::Stepwise(size) => {
            format!("{}x{} to {}x{}", size.min_width, size.min_height, size.max_width, size.max_height)
        }
    };
    found.into_iter().map(text).collect()
}

/// Opens a single-planar camera.
///
/// # Errors
/// [`Error::Device`] saying what the device is instead.
pub(super) fn open(path: &Path) -> Result<Device> {
    let name = path.display().to_string();
    let device = node(path)?;
    let capability = device::capability(&device).map_err(|error| refused(&name, error))?;
    if capability.is_multi_planar() {
        return Err(multi_planar(&name, &capability.driver));
    }
    if !capability.captures() {
        let found =
            format!("a device that captures no pictures ({}, {})", capability.card, capability.driver);
        return Err(Error::device(name, found, "a camera; `edgeclip run --list` lists them"));
    }
    Ok(device)
}

/// Opens a device node.
fn node(path: &Path) -> Result<Device> {
    let name = path.display().to_string();
    let camera = "a camera such as /dev/video0; `edgeclip run --list` lists them";
    // The kernel would cut the path at a zero byte.
    let kind = match std::fs::metadata(path) {
        Ok(about) if !path.as_os_str().as_bytes().contains(&0) => about.file_type(),
        Ok(_) => return Err(Error::device(name, "a path with a zero byte", camera)),
        Err(error) => return Err(refused(&name, error)),
    };
    if !kind.is_char_device() {
        let found = if kind.is_dir() { "a folder" } else { "a file" };
        return Err(Error::device(name, found, format!("{camera}; files are named without v4l2://")));
    }
    device::open(path).map_err(|error| refused(&name, error))
}

/// Why the system refused a device, and what to do about it.
pub(super) fn refused(name: &str, error: io::Error) -> Error {
    let camera = "a camera such as /dev/video0; `edgeclip run --list` lists them";
    match error.kind() {
        ErrorKind::NotFound => Error::device(name, "no such device", camera),
        ErrorKind::PermissionDenied => {
            let expected = "the right to use it: `sudo usermod -aG video $USER`, then log in again";
            Error::device(name, NO_PERMISSION, expected)
        }
        ErrorKind::ResourceBusy => {
            Error::device(name, "a camera in use by another program", "one that is free")
        }
        _ if error.raw_os_error() == Some(NO_SUCH_REQUEST) => {
            Error::device(name, "a device that is not a camera", camera)
        }
        _ => Error::io(error::ErrorKind::Device, name.to_owned(), error),
    }
}

fn multi_planar(name: &str, driver: &str) -> Error {
    Error::device(name, format!("a multi-planar camera ({driver})"), PIPE)
}

/// The error of a camera without a supported format.
pub(super) fn unusable(name: &str, offered: &[[u8; 4]]) -> Error {
    let found = match fourcc::list(offered) {
        none if none.is_empty() => "no format at all".to_owned(),
        list => format!("only formats that need the vendor's program ({list})"),
    };
    Error::device(name, found, format!("one of {}: {PIPE}", FourCc::names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &str) -> String {
        open(Path::new(path)).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_no_camera_is_named() {
        assert!(refusal("/dev/video99").starts_with("/dev/video99: found no such device, expected a camera"));
        assert!(refusal("Cargo.toml").contains("found a file"));
        assert!(refusal("src").contains("found a folder"));
        assert!(refusal("/dev/null").starts_with("/dev/null: found a device that is not a camera"));
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let line = |kind| refused("/dev/video0", io::Error::from(kind)).to_string();
        assert!(line(ErrorKind::PermissionDenied).contains("usermod -aG video"));
        assert!(line(ErrorKind::ResourceBusy).contains("another program"));
    }

    #[test]
    fn raw_sensors_are_sent_to_a_pipe() {
        let line = unusable("/dev/video0", &[*b"RG10", *b"pBAA"]).to_string();
        for part in ["RG10, pBAA", "rpicam-vid", "nvarguscamerasrc", "--source -"] {
            assert!(line.contains(part), "{line}");
        }
    }
}
