//! The error type, split by who must act: the user's input, the model file, or us.

use thiserror::Error;

/// Result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong. `Display` is one line: name, what was found, what was expected.
#[derive(Debug, Error)]
pub enum Error {
    /// The user's input cannot be used: a picture, a prompt, a flag, a vocabulary file.
    #[error("{}: found {}, expected {}", one_line(name), one_line(found), one_line(expected))]
    Input {
        /// What the input is called: a path, a prompt, a flag.
        name: String,
        /// What it held.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// What was there has gone or been taken away, and may come back: a camera, a connection. Time acts, or who pulled the plug.
    #[error("{}: found {}, expected {}", one_line(name), one_line(found), one_line(expected))]
    Gone {
        /// What it is called.
        name: String,
        /// What happened to it.
        found: String,
        /// What it should do.
        expected: String,
    },
    /// A file of the model bundle cannot be used.
    #[error("model file {}: found {}, expected {}", one_line(file), one_line(found), one_line(expected))]
    Model {
        /// Name or path of the file.
        file: String,
        /// What it held.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// The operating system refused to read or write a file.
    #[error("{}: {}", one_line(name), one_line(&source.to_string()))]
    Io {
        /// Path of the file.
        name: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A bug in this program.
    #[error("internal error (please report it): {}", one_line(_0))]
    Internal(String),
}

impl Error {
    /// The user's input `name` holds `found` where `expected` is needed.
    pub fn input(name: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Input { name: name.into(), found: found.into(), expected: expected.into() }
    }

    /// The source `name` is gone: `found` where `expected` is needed.
    pub fn gone(name: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Gone { name: name.into(), found: found.into(), expected: expected.into() }
    }

    /// The model file `file` holds `found` where `expected` is needed.
    pub fn model(file: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Model { file: file.into(), found: found.into(), expected: expected.into() }
    }

    /// The same error of input or a source, which is called `name` instead.
    #[must_use]
    pub fn renamed(self, name: impl Into<String>) -> Self {
        match self {
            Self::Input { found, expected, .. } => Self::input(name, found, expected),
            Self::Gone { found, expected, .. } => Self::gone(name, found, expected),
            other => other,
        }
    }

    /// Process exit code: 2 where the caller can act, 70 (`EX_SOFTWARE` of BSD `sysexits.h`) for our own bugs.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input { .. } | Self::Gone { .. } | Self::Model { .. } | Self::Io { .. } => 2,
            Self::Internal(_) => 70,
        }
    }
}

/// Control characters (line breaks in file names, prompts and messages of libraries) become spaces.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_one_line_and_names_its_parts() {
        let line = Error::input("a\nb.jpg", "0 bytes", "a picture").to_string();
        assert_eq!(line, "a b.jpg: found 0 bytes, expected a picture");
        let line = Error::model("vision.onnx", "no\r\nnodes", "a graph").to_string();
        assert_eq!(line, "model file vision.onnx: found no  nodes, expected a graph");
        let source = std::io::Error::other("disk\non fire");
        assert_eq!(Error::Io { name: "x".into(), source }.to_string(), "x: disk on fire");
        assert!(!Error::Internal("a\nb".into()).to_string().contains('\n'));
    }

    #[test]
    fn exit_codes_tell_users_from_bugs() {
        assert_eq!(Error::input("a", "b", "c").exit_code(), 2);
        assert_eq!(Error::gone("a", "b", "c").exit_code(), 2);
        assert_eq!(Error::model("a", "b", "c").exit_code(), 2);
        assert_eq!(Error::Io { name: "a".into(), source: std::io::Error::other("b") }.exit_code(), 2);
        assert_eq!(Error::Internal("a".into()).exit_code(), 70);
    }
}
