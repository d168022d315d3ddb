//! What the user says about a source beside its name.

use super::{Raw, Wish};
use crate::error::{Error, Result};

/// How to open a source. What does not apply to its kind is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceOptions {
    /// Format, size and rate of a camera. Recordings take the rate alone: it takes the place of their own.
    pub wish: Wish,
    /// Names and values of a camera's controls.
    pub controls: Vec<(String, String)>,
    /// Files or standard input hold pixels without a header.
    pub raw: Option<Raw>,
    /// A folder: wait for pictures that come.
    pub follow: bool,
    /// Files: start again at the end.
    pub repeat: bool,
    /// Files: frames come at their own rate (`wish.fps`, the recording's, else 25 a second), not whenever they are taken. Standard
    /// input: frames that come too fast are dropped, even those of a recording.
    pub real_time: bool,
}

impl SourceOptions {
    /// Refuses for the source `spec`, which is `kind`, the options that are not among those that it `takes`.
    pub(super) fn only(&self, spec: &str, kind: &str, takes: &[&str]) -> Result<()> {
        let given = [
            ("--pixel-format", self.wish.format.is_some()),
            ("--size", self.wish.size.is_some()),
            ("--camera-fps", self.wish.fps.is_some()),
            ("--control", !self.controls.is_empty()),
            ("--pixel-format", self.raw.is_some()),
            ("--follow", self.follow),
            ("--repeat", self.repeat),
            ("--real-time", self.real_time),
        ];
        match given.into_iter().find(|(flag, given)| *given && !takes.contains(flag)) {
            Some((flag, _)) => {
                let found = format!("{flag} with --source {spec}, which is {kind}");
                let expected = if takes.is_empty() { "no such flag".to_owned() } else { takes.join(", ") };
                Err(Error::settings("run", found, expected))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_apply_is_named() {
        let options = SourceOptions { follow: true, ..SourceOptions::default() };
        assert!(options.only("x", "a folder", &["--follow"]).is_ok());
        let line = options.only("x", "a camera", &["--camera-fps"]).unwrap_err().to_string();
        assert_eq!(line, "run: found --follow with --source x, which is a camera, expected --camera-fps");
    }
}
