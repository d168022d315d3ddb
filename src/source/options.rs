//! What the user says about a source besides its name.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{ControlValue, Raw, Suspects, Wish};
use crate::error::{Error, Result};

/// How to open a source. Options that do not apply to its kind are refused.
#[derive(Debug, Clone, Default)]
pub(crate) struct SourceOptions {
    /// Format, size and frame rate of a camera. Recordings accept the frame rate alone, which replaces their
    /// own.
    pub wish: Wish,
    /// Names and values of a camera's controls, in the order in which to set them.
    pub controls: Vec<(String, ControlValue)>,
    /// Files or standard input hold pixels without a header.
    pub raw: Option<Raw>,
    /// A folder: wait for new pictures.
    pub follow: bool,
    /// Folders that this program writes pictures to, which are not part of one that is followed.
    pub outputs: Vec<PathBuf>,
    /// Which of them to pass over, since they have killed the program before.
    pub suspects: Suspects,
    /// Files: start again at the end.
    pub repeat: bool,
    /// Files: frames arrive at their own rate (`wish.fps`, the recording's, else 25 per second) instead of on
    /// demand. Standard input: frames that arrive too fast are dropped, even those of a recording.
    pub real_time: bool,
    /// Most megabytes of each process that reads or decodes for the source; by default a quarter of what is
    /// there for reading, and somewhat more than a picture may take for decoding.
    pub decoder_mb: Option<u64>,
    /// Who vouches for an `https://` camera: a file of certificates (PEM); else the system's.
    pub ca: Option<PathBuf>,
    /// Longest time without a frame; by default 10 s, 5 s for a camera of this machine.
    pub stall: Option<Duration>,
}

/// An option that not every kind of source accepts. Its text is its key in the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SourceOption {
    /// [`Wish::format`] or [`SourceOptions::raw`].
    PixelFormat,
    /// [`Wish::size`]
    Size,
    /// [`Wish::fps`]
    FrameRate,
    /// [`SourceOptions::controls`]
    Control,
    /// [`SourceOptions::follow`]
    Follow,
    /// [`SourceOptions::repeat`]
    Repeat,
    /// [`SourceOptions::real_time`]
    RealTime,
    /// [`SourceOptions::ca`]
    Ca,
    /// [`SourceOptions::stall`]
    Stall,
}

impl fmt::Display for SourceOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PixelFormat => "pixel_format",
            Self::Size => "size",
            Self::FrameRate => "camera_fps",
            Self::Control => "control",
            Self::Follow => "follow",
            Self::Repeat => "repeat",
            Self::RealTime => "real_time",
            Self::Ca => "ca",
            Self::Stall => "stall_seconds",
        })
    }
}

impl SourceOptions {
    /// Refuses the options that are not among those that the source `spec`, which is a `kind`, accepts.
    pub(super) fn only(&self, spec: &str, kind: &str, accepted: &[SourceOption]) -> Result<()> {
        let given = [
            (SourceOption::PixelFormat, self.wish.format.is_some() || self.raw.is_some()),
            (SourceOption::Size, self.wish.size.is_some()),
            (SourceOption::FrameRate, self.wish.fps.is_some()),
            (SourceOption::Control, !self.controls.is_empty()),
            (SourceOption::Follow, self.follow),
            (SourceOption::Repeat, self.repeat),
            (SourceOption::RealTime, self.real_time),
            (SourceOption::Ca, self.ca.is_some()),
            (SourceOption::Stall, self.stall.is_some()),
        ];
        let Some((option, _)) =
            given.into_iter().find(|(option, given)| *given && !accepted.contains(option))
        else {
            return Ok(());
        };
        let names: Vec<String> = accepted.iter().map(SourceOption::to_string).collect();
        let expected = if names.is_empty() { "no options".to_owned() } else { names.join(", ") };
        Err(Error::settings(spec, format!("the option {option}, which does not apply to {kind}"), expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_does_not_apply_is_named() {
        let options = SourceOptions { follow: true, ..SourceOptions::default() };
        assert!(options.only("x", "a folder", &[SourceOption::Follow]).is_ok());
        let line = options.only("x", "a camera", &[SourceOption::FrameRate]).unwrap_err().to_string();
        let expected = "x: found the option follow, which does not apply to a camera, expected camera_fps";
        assert_eq!(line, expected);
    }
}
