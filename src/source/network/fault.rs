//! Why a network source cannot be connected.

use crate::error::Error;

/// Why a source cannot be connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Fault {
    /// What was found.
    pub found: String,
    /// What was expected, or what to do about it.
    pub expected: String,
}

impl Fault {
    pub(crate) fn new(found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { found: found.into(), expected: expected.into() }
    }

    /// The same as an error of the source `name`.
    pub(crate) fn into_error(self, name: &str) -> Error {
        Error::device(name, self.found, self.expected)
    }
}
