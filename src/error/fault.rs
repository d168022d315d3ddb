//! The details of an error.

use std::fmt;
use std::io;

use super::{LONG, printable};

/// The details of an [`Error`](super::Error), which has methods to read them.
#[derive(Debug)]
pub struct Fault {
    /// Printed before the name.
    label: &'static str,
    name: String,
    what: What,
}

#[derive(Debug)]
enum What {
    Mismatch {
        found: String,
        expected: String,
    },
    Io(io::Error),
    /// The name says it all.
    Nothing,
}

impl Fault {
    pub(super) fn mismatch(label: &'static str, name: String, found: String, expected: String) -> Self {
        Self { label, name, what: What::Mismatch { found, expected } }
    }

    pub(super) fn io(name: String, source: io::Error) -> Self {
        Self { label: "", name, what: What::Io(source) }
    }

    pub(super) fn text(label: &'static str, text: String) -> Self {
        Self { label, name: text, what: What::Nothing }
    }

    pub(super) fn renamed(self, name: String) -> Self {
        Self { name, ..self }
    }

    pub(super) fn labelled(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    pub(super) fn advised(mut self, advice: &str) -> Self {
        if let What::Mismatch { expected, .. } = &mut self.what {
            expected.push_str(advice);
        }
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn found(&self) -> Option<&str> {
        match &self.what {
            What::Mismatch { found, .. } => Some(found),
            What::Io(_) | What::Nothing => None,
        }
    }

    pub(super) fn expected(&self) -> Option<&str> {
        match &self.what {
            What::Mismatch { expected, .. } => Some(expected),
            What::Io(_) | What::Nothing => None,
        }
    }

    pub(super) fn io_error(&self) -> Option<&io::Error> {
        match &self.what {
            What::Io(source) => Some(source),
            What::Mismatch { .. } | What::Nothing => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, name, what } = self;
        write!(to, "{label}{}", printable(name, LONG))?;
        match what {
            What::Mismatch { found, expected } => {
                write!(to, ": found {}, expected {}", printable(found, LONG), printable(expected, LONG))
            }
            What::Io(source) => write!(to, ": {}", printable(&source.to_string(), LONG)),
            What::Nothing => Ok(()),
        }
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.io_error().map(|source| source as _)
    }
}
