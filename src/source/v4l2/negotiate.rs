//! Chooses a camera's mode.

use std::fmt;

use v4l::Device;
use v4l::video::Capture;
use v4l::video::capture::Parameters;

use super::super::live::Encoding;
use super::device::{self, Given};
use super::fourcc::{self, FourCc};
use super::offers;
use crate::error::{Error, Result};

/// Default size: more than the network needs, and supported by nearly every camera.
const SIZE: (u32, u32) = (640, 480);

/// The mode that the user asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Exactly this format.
    pub format: Option<FourCc>,
    /// Width and height in pixels; the camera's nearest is used.
    pub size: Option<(u32, u32)>,
    /// Frames per second; the camera's nearest is used.
    pub fps: Option<u32>,
}

/// The mode that a camera has been set to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Mode {
    /// Pixel format.
    pub format: FourCc,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Frames per second, if the driver tells.
    pub fps: Option<f32>,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}x{}", self.format, self.width, self.height)?;
        self.fps.map_or(Ok(()), |fps| write!(f, " at {fps:.1} fps"))
    }
}

/// Tries the camera's supported formats and sets the one closest to `wish`: by size, then by rate, then by
/// cost of reading it.
///
/// # Errors
/// [`Error::Settings`] if the camera does not have the requested format; [`Error::Device`] if it has no
/// supported one.
pub(super) fn negotiate(name: &str, device: &Device, wish: &Wish) -> Result<(Mode, Encoding)> {
    let offered = device::formats(device);
    let readable: Vec<FourCc> =
        FourCc::ALL.into_iter().filter(|known| offered.contains(&known.code())).collect();
    if readable.is_empty() {
        return Err(offers::unusable(name, &offered));
    }
    let wished = |format: &FourCc| wish.format.is_none_or(|wish| wish == *format);
    let usable: Vec<FourCc> = readable.iter().copied().filter(wished).collect();
    if let (true, Some(format)) = (usable.is_empty(), wish.format) {
        let codes: Vec<[u8; 4]> = readable.iter().map(|format| format.code()).collect();
        let expected = format!("one of {}", fourcc::list(&codes));
        return Err(Error::settings(name, format!("no format {format}"), expected));
    }
    let mut best: Option<(Distance, FourCc)> = None;
    let mut refusal = None;
    for format in usable {
        match set(name, device, format, wish) {
            Ok((mode, _)) => {
                let distance = Distance::between(&mode, wish);
                if best.is_none_or(|(least, _)| distance < least) {
                    best = Some((distance, format));
                }
            }
            Err(error) => refusal = Some(error),
        }
    }
    match (best, refusal) {
        (Some((_, format)), _) => set(name, device, format, wish),
        (None, Some(error)) => Err(error),
        (None, None) => Err(Error::bug("no format was tried")),
    }
}

/// Asks the driver for one format and reads what it has set.
fn set(name: &str, device: &Device, format: FourCc, wish: &Wish) -> Result<(Mode, Encoding)> {
    let (width, height) = wish.size.unwrap_or(SIZE);
    let given = device::set_format(device, format.code(), width, height)
        .map_err(|error| offers::refused(name, error))?;
    let Given { fourcc, width, height, stride, full_range } = given;
    if fourcc != format.code() {
        return Err(Error::device(
            name,
            format!("format {}", fourcc::name(fourcc)),
            format!("{format}, which the camera lists"),
        ));
    }
    if let Some(fps) = wish.fps {
        // A driver that cannot change its rate keeps it; the actual rate is read below.
        let _ = device.set_params(&Parameters::with_fps(fps));
    }
    let interval = device.params().ok().map(|parameters| parameters.interval);
    let interval = interval.filter(|interval| interval.numerator > 0 && interval.denominator > 0);
    let fps = interval.map(|interval| interval.denominator as f32 / interval.numerator as f32);
    let encoding = format.pixels(full_range).map_or(Encoding::Jpeg, |format| {
        // Some drivers report no stride for rows without padding.
        let row = format.row_bytes(width as usize).unwrap_or_default();
        Encoding::Raw { width, height, stride: if stride == 0 { row } else { stride }, format }
    });
    Ok((Mode { format, width, height, fps }, encoding))
}

/// How far a mode is from the requested one, most significant first: difference in pixels, missing tenths of
/// frames per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Distance(u64, u64);

impl Distance {
    fn between(mode: &Mode, wish: &Wish) -> Self {
        let (width, height) = wish.size.unwrap_or(SIZE);
        let pixels = |width: u32, height: u32| u64::from(width) * u64::from(height);
        let size = pixels(mode.width, mode.height).abs_diff(pixels(width, height))
            + u64::from(mode.width.abs_diff(width));
        let missing = |wish: u32| (wish as f32 - mode.fps.unwrap_or(wish as f32)).max(0.0);
        Self(size, wish.fps.map_or(0, |wish| (missing(wish) * 10.0) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_counts_before_rate_and_faster_is_no_fault() {
        let wish = Wish { format: None, size: Some((1280, 720)), fps: Some(30) };
        let format: FourCc = "YUYV".parse().unwrap();
        let distance =
            |width, height, fps| Distance::between(&Mode { format, width, height, fps: Some(fps) }, &wish);
        assert_eq!(distance(1280, 720, 60.0), Distance(0, 0));
        assert!(distance(1280, 720, 10.0) < distance(640, 480, 30.0));
        assert!(distance(1280, 720, 30.0) < distance(1280, 720, 10.0));
        assert_ne!(distance(720, 1280, 30.0), Distance(0, 0));
    }

    #[test]
    fn a_mode_reads_like_a_command_line() {
        let mode = Mode { format: "NV12".parse().unwrap(), width: 640, height: 480, fps: Some(30.0) };
        assert_eq!(mode.to_string(), "NV12 640x480 at 30.0 fps");
        assert_eq!(Mode { fps: None, ..mode }.to_string(), "NV12 640x480");
    }
}
