//! The error type, sorted by who must act.

mod address;
mod fault;
mod parts;
mod printable;

pub(crate) use address::{shown_address, shown_addresses};
pub use fault::Fault;
pub(crate) use parts::ErrorParts;
pub(crate) use printable::{LONG, SHORT, obeyed, printable};

use std::io;

use edgeclip_engine as engine;

/// Result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, one variant for each party who can do something about it. `Display` is one line: name,
/// what was found, what was expected.
///
/// ```
/// use edgeclip::{Error, ErrorKind};
///
/// let error = Error::settings("threshold", "1.5", "0 to 1");
/// assert_eq!(error.kind(), ErrorKind::Settings);
/// assert_eq!(error.to_string(), "threshold: found 1.5, expected 0 to 1");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Whoever supplies pictures, streams and files: one of them cannot be read or is broken.
    #[error(transparent)]
    Input(Fault),
    /// Whoever writes flags, configuration, prompts and zones: one of them cannot be used.
    #[error(transparent)]
    Settings(Fault),
    /// Whoever made or chose the model: a file of the bundle or an ONNX network is broken, or a vocabulary
    /// belongs to another model.
    #[error(transparent)]
    Model(Fault),
    /// Whoever looks after the machine and what is connected to it: a camera, display, disk, network peer,
    /// memory or thread refuses or has gone, and may come back.
    #[error(transparent)]
    Device(Fault),
    /// The developers of this program.
    #[error(transparent)]
    Bug(Fault),
}

/// Who must act on an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// [`Error::Input`]
    Input,
    /// [`Error::Settings`]
    Settings,
    /// [`Error::Model`]
    Model,
    /// [`Error::Device`]
    Device,
    /// [`Error::Bug`]
    Bug,
}

impl Error {
    /// The user's picture, stream or file `name` holds `found` where `expected` is needed.
    pub fn input(name: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Input(Fault::mismatch("", name.into(), found.into(), expected.into()))
    }

    /// The flag, key, prompt or zone `name` is `found` where `expected` is needed.
    pub fn settings(name: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Settings(Fault::mismatch("", name.into(), found.into(), expected.into()))
    }

    /// The bundle's or network's file `file` holds `found` where `expected` is needed.
    pub fn model(file: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Model(Fault::mismatch("model file ", file.into(), found.into(), expected.into()))
    }

    /// The camera, display, peer or resource `name` gives `found` where `expected` is needed.
    pub fn device(name: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Device(Fault::mismatch("", name.into(), found.into(), expected.into()))
    }

    /// A bug in this program; `what` is said to the user.
    pub fn bug(what: impl Into<String>) -> Self {
        let label = "internal error (please report it): ";
        Self::Bug(Fault::text(label, what.into()))
    }

    /// The operating system refused something about `name`.
    pub fn io(kind: ErrorKind, name: impl Into<String>, source: io::Error) -> Self {
        Self::of(kind, Fault::io(name.into(), source))
    }

    fn of(kind: ErrorKind, fault: Fault) -> Self {
        match kind {
            ErrorKind::Input => Self::Input(fault),
            ErrorKind::Settings => Self::Settings(fault),
            ErrorKind::Model => Self::Model(fault),
            ErrorKind::Device => Self::Device(fault),
            ErrorKind::Bug => Self::Bug(fault),
        }
    }

    /// Who must act.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Input(_) => ErrorKind::Input,
            Self::Settings(_) => ErrorKind::Settings,
            Self::Model(_) => ErrorKind::Model,
            Self::Device(_) => ErrorKind::Device,
            Self::Bug(_) => ErrorKind::Bug,
        }
    }

    fn fault(&self) -> &Fault {
        let (Self::Input(fault)
        | Self::Settings(fault)
        | Self::Model(fault)
        | Self::Device(fault)
        | Self::Bug(fault)) = self;
        fault
    }

    fn into_fault(self) -> Fault {
        let (Self::Input(fault)
        | Self::Settings(fault)
        | Self::Model(fault)
        | Self::Device(fault)
        | Self::Bug(fault)) = self;
        fault
    }

    /// What the thing is called that is wrong: a path, a flag, a prompt.
    pub fn name(&self) -> &str {
        self.fault().name()
    }

    /// What it held, if that is known.
    pub fn found(&self) -> Option<&str> {
        self.fault().found()
    }

    /// What it should hold, if that is known.
    pub fn expected(&self) -> Option<&str> {
        self.fault().expected()
    }

    /// The operating system's answer, if it refused something.
    pub fn io_error(&self) -> Option<&io::Error> {
        self.fault().io_error()
    }

    /// The same about a thing that the user knows by another name.
    #[must_use]
    pub fn renamed(self, name: impl Into<String>) -> Self {
        let kind = self.kind();
        Self::of(kind, self.into_fault().renamed(name.into()))
    }

    /// The same with advice behind what was expected: what to type, for example.
    #[must_use]
    pub fn advised(self, advice: &str) -> Self {
        let kind = self.kind();
        Self::of(kind, self.into_fault().advised(advice))
    }

    /// The same about a file of the model bundle: whoever made the model must act. A bug stays a bug.
    #[must_use]
    pub fn in_bundle(self) -> Self {
        match self {
            Self::Bug(fault) => Self::Bug(fault),
            other => Self::Model(other.into_fault().labelled("model file ")),
        }
    }

    /// The same for others to act on. A bug stays a bug.
    #[must_use]
    pub fn with_kind(self, kind: ErrorKind) -> Self {
        match self {
            Self::Bug(fault) => Self::Bug(fault),
            other => Self::of(kind, other.into_fault()),
        }
    }

    /// Process exit code: 2 where the caller can act, 70 (`EX_SOFTWARE` of BSD `sysexits.h`) for our own
    /// bugs.
    pub fn exit_code(&self) -> u8 {
        if self.kind() == ErrorKind::Bug { 70 } else { 2 }
    }
}

impl From<engine::Error> for Error {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::Model { file, found, expected } => Self::model(file, found, expected),
            engine::Error::Setting { name, found, expected } => Self::settings(name, found, expected),
            engine::Error::Io { name, source } => Self::io(ErrorKind::Model, name, source),
            engine::Error::Threads { count, source } => {
                let expected = "fewer threads, or a higher limit (TasksMax= of the service, ulimit -u)";
                Self::device(format!("{count} threads"), source.to_string(), expected)
            }
            // What the engine takes is for this program to know.
            engine::Error::Input(what) | engine::Error::Internal(what) => Self::bug(what),
            other => Self::bug(other.to_string()),
        }
    }
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
        let source = io::Error::other("disk\non fire");
        assert_eq!(Error::io(ErrorKind::Device, "x", source).to_string(), "x: disk on fire");
        assert_eq!(Error::bug("a\nb").to_string(), "internal error (please report it): a b");
    }

    #[test]
    fn exit_codes_tell_users_from_bugs() {
        for error in [
            Error::input("a", "b", "c"),
            Error::settings("a", "b", "c"),
            Error::model("a", "b", "c"),
            Error::device("a", "b", "c"),
            Error::io(ErrorKind::Input, "a", io::Error::other("b")),
        ] {
            assert_eq!(error.exit_code(), 2, "{error}");
        }
        assert_eq!(Error::bug("a").exit_code(), 70);
    }

    #[test]
    fn parts_can_be_read_and_changed() {
        let error = Error::input("bank", "1 row", "2");
        assert_eq!((error.name(), error.found(), error.expected()), ("bank", Some("1 row"), Some("2")));
        let error = error.renamed("a.bin").advised(" or 3").in_bundle();
        assert_eq!(error.kind(), ErrorKind::Model);
        assert_eq!(error.to_string(), "model file a.bin: found 1 row, expected 2 or 3");
        assert_eq!(Error::bug("a").in_bundle().with_kind(ErrorKind::Input).kind(), ErrorKind::Bug);
        let refused = Error::io(ErrorKind::Device, "x", io::ErrorKind::BrokenPipe.into());
        assert_eq!(refused.io_error().map(io::Error::kind), Some(io::ErrorKind::BrokenPipe));
    }
}
