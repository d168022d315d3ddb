//! Errors: printed at once, remembered for the exit code.

use std::fmt::Display;
use std::io::Write;

use crate::error::{Error, ErrorKind, printable};

/// `EX_CONFIG` of BSD `sysexits.h`: starting again with the same settings will not help.
pub(crate) const UNUSABLE_SETTINGS: u8 = 78;
/// Most characters of a line.
pub(super) const LINE: usize = 2000;

/// What went wrong so far.
#[derive(Default)]
pub(crate) struct Failures {
    code: u8,
    settings: bool,
}

impl Failures {
    /// Prints `error` and remembers it. What is not an [`Error`] of ours is the operating system's, such as a
    /// full disk.
    pub(crate) fn add(&mut self, error: impl Into<anyhow::Error>) {
        let error = error.into();
        complain(&line(&error));
        let ours = error.downcast_ref::<Error>();
        self.code = self.code.max(ours.map_or(2, Error::exit_code));
        self.settings |= ours.is_some_and(|error| error.kind() == ErrorKind::Settings);
    }

    /// 0 without failures, otherwise the largest exit code among them.
    pub(crate) fn exit_code(&self) -> u8 {
        self.code
    }

    /// As [`exit_code`](Self::exit_code), for a program that a service manager starts again when it ends:
    /// [`UNUSABLE_SETTINGS`] tells it not to.
    pub(crate) fn service_exit_code(&self) -> u8 {
        if self.settings { UNUSABLE_SETTINGS } else { self.code }
    }
}

/// The whole of `error` as one line, context first.
pub(crate) fn line(error: &anyhow::Error) -> String {
    let mut parts = Vec::new();
    for cause in error.chain() {
        parts.push(cause.to_string());
        // Its line holds its causes.
        if cause.is::<Error>() {
            break;
        }
    }
    printable(&parts.join(": "), LINE)
}

/// Prints one line to standard error. If that is closed, nobody can be told.
pub(crate) fn complain(message: &impl Display) {
    let line = format!("edgeclip: {}\n", printable(&message.to_string(), LINE));
    // At once: other processes of ours write there, too.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_line_holds_context_and_cause_once() {
        let full = || std::io::Error::other("disk\nfull");
        let outer = Err::<(), _>(full()).context("out.bin").unwrap_err();
        assert_eq!(line(&outer), "out.bin: disk full");
        let inner = Err::<(), _>(Error::io(ErrorKind::Device, "a.csv", full())).context("sink").unwrap_err();
        assert_eq!(line(&inner), "sink: a.csv: disk full");
    }

    #[test]
    fn the_largest_exit_code_stays() {
        let mut failures = Failures::default();
        assert_eq!(failures.exit_code(), 0);
        failures.add(Error::bug("a"));
        failures.add(Error::input("a", "b", "c"));
        assert_eq!(failures.exit_code(), 70);
        let mut failures = Failures::default();
        failures.add(anyhow::Error::from(std::io::Error::other("full")).context("out"));
        assert_eq!(failures.exit_code(), 2);
    }

    #[test]
    fn settings_are_told_to_a_service_manager() {
        let mut failures = Failures::default();
        failures.add(Error::device("/dev/video0", "nothing", "a camera"));
        assert_eq!(failures.service_exit_code(), 2);
        failures.add(Error::settings("fps", "0", "1 to 1000"));
        assert_eq!((failures.exit_code(), failures.service_exit_code()), (2, 78));
    }
}
