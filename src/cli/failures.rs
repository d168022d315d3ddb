//! Errors of single pictures: said at once, remembered for the exit code.

use std::fmt::Display;
use std::io::Write;

use crate::error::Error;

/// What went wrong so far without ending the call.
#[derive(Default)]
pub struct Failures {
    code: u8,
}

impl Failures {
    /// Prints `error` and remembers it.
    pub fn add(&mut self, error: &Error) {
        complain(error);
        self.code = self.code.max(error.exit_code());
    }

    /// 0 without failures, otherwise the largest exit code among them.
    pub fn exit_code(&self) -> u8 {
        self.code
    }
}

/// Prints one line to standard error. Where that is closed, nobody can be told.
pub fn complain(message: &impl Display) {
    let _ = writeln!(std::io::stderr(), "edgeclip: {message}");
}
