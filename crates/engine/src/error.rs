//! The error type, split by who must act.

use edgeclip_kernels::UnknownIsa;

/// Result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong. `Display` is one line: name, what was found, what was expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is no network that this engine can run, or it is broken.
    #[error("model file {}: found {}, expected {}", one_line(file), one_line(found), one_line(expected))]
    Model {
        /// Name or path of the file.
        file: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// An environment variable has a value that means nothing here.
    #[error("{}: found {}, expected {}", one_line(name), one_line(found), one_line(expected))]
    Setting {
        /// Its name.
        name: String,
        /// Its value.
        found: String,
        /// The values it may have.
        expected: String,
    },
    /// The operating system refused to read a file.
    #[error("{}: {}", one_line(name), one_line(&source.to_string()))]
    Io {
        /// Path of the file.
        name: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The operating system refused to start threads.
    #[error("{count} threads: {}", one_line(&source.to_string()))]
    Threads {
        /// How many were wanted.
        count: usize,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The caller passed something else than the network takes.
    #[error("{}", one_line(_0))]
    Input(String),
    /// A bug in this crate or in tract.
    #[error("internal error (please report it): {}", one_line(_0))]
    Internal(String),
}

/// Who can do something about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Whoever made the network.
    Model,
    /// Whoever set the environment.
    Setting,
    /// Whoever runs the machine: a file that cannot be read, no more threads.
    System,
    /// Whoever wrote the program that calls this crate.
    Input,
    /// The authors of this crate.
    Bug,
}

impl Error {
    pub(crate) fn model(
        file: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Model { file: file.into(), found: found.into(), expected: expected.into() }
    }

    /// Who must act.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Model { .. } => Kind::Model,
            Self::Setting { .. } => Kind::Setting,
            Self::Io { .. } | Self::Threads { .. } => Kind::System,
            Self::Input(_) => Kind::Input,
            Self::Internal(_) => Kind::Bug,
        }
    }
}

impl From<UnknownIsa> for Error {
    fn from(unknown: UnknownIsa) -> Self {
        let expected = format!("one of {}", unknown.available.join(", "));
        Self::Setting { name: "EDGECLIP_ISA".to_owned(), found: unknown.wanted, expected }
    }
}

/// Most characters of a name or sentence in a message.
const LONGEST: usize = 400;

/// Names of files and nodes and messages of tract as a line may hold them: control characters and those that
/// turn the direction of text become spaces, what is too long is cut.
pub(crate) fn one_line(text: &str) -> String {
    let printable = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns { ' ' } else { c }
    };
    let mut line: String = text.chars().take(LONGEST).map(printable).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{Error, Kind};

    #[test]
    fn every_error_is_one_line_and_names_who_must_act() {
        let error = Error::model("net.onnx", "no\r\nnodes", "a graph");
        assert_eq!(error.to_string(), "model file net.onnx: found no  nodes, expected a graph");
        assert_eq!(error.kind(), Kind::Model);
        let source = std::io::Error::other("disk\non fire");
        let error = Error::Io { name: "x".into(), source };
        assert_eq!((error.to_string().as_str(), error.kind()), ("x: disk on fire", Kind::System));
        let error = Error::Input("7 values\nfor 8".into());
        assert_eq!((error.to_string().as_str(), error.kind()), ("7 values for 8", Kind::Input));
        assert!(!Error::Internal("a\nb".into()).to_string().contains('\n'));
        let long = Error::model("x".repeat(10_000_000), "\u{1b}[2J\u{202e}", "a name").to_string();
        assert!(long.chars().count() < 500 && long.ends_with("…: found  [2J , expected a name"), "{long}");
    }
}
