//! An error in plain parts, to tell several threads or another process.

use std::io;

use serde::{Deserialize, Serialize};

use super::{Error, ErrorKind};

const KINDS: [ErrorKind; 5] =
    [ErrorKind::Input, ErrorKind::Settings, ErrorKind::Model, ErrorKind::Device, ErrorKind::Bug];

/// What an error says. The system's own error becomes its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorParts {
    kind: usize,
    name: String,
    found: Option<String>,
    expected: Option<String>,
    refused: Option<String>,
}

impl From<&Error> for ErrorParts {
    fn from(error: &Error) -> Self {
        Self {
            kind: KINDS.iter().position(|kind| *kind == error.kind()).unwrap_or_default(),
            name: error.name().to_owned(),
            found: error.found().map(str::to_owned),
            expected: error.expected().map(str::to_owned),
            refused: error.io_error().map(io::Error::to_string),
        }
    }
}

impl From<ErrorParts> for Error {
    fn from(parts: ErrorParts) -> Self {
        let kind = KINDS.get(parts.kind).copied().unwrap_or(ErrorKind::Bug);
        match (parts.found, parts.expected, parts.refused) {
            (Some(found), Some(expected), _) => Self::device(parts.name, found, expected).with_kind(kind),
            (_, _, Some(refused)) => Self::io(kind, parts.name, io::Error::other(refused)),
            _ => Self::bug(parts.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_from_its_parts_says_the_same() {
        for error in [
            Error::device("cam", "nobody", "a camera"),
            Error::settings("x", "y", "z"),
            Error::input("a.jpg", "nothing", "a picture"),
            Error::io(ErrorKind::Input, "f", io::Error::from_raw_os_error(2)),
            Error::bug("odd"),
        ] {
            let again = Error::from(ErrorParts::from(&error));
            assert_eq!((again.kind(), again.to_string()), (error.kind(), error.to_string()));
        }
    }
}
