//! Opening networks.

use std::fs;
use std::path::Path;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::proto::parse;
use edgeclip_kernels::Isa;

/// How an [`Engine`] runs its network: one thread, the fastest instruction set, int8 where possible, unless
/// said otherwise.
#[derive(Debug, Clone)]
#[must_use]
pub struct Options {
    threads: usize,
    isa: Option<Isa>,
    int8: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { threads: 1, isa: None, int8: true }
    }
}

impl Options {
    /// The number of threads that share the work of one pass, at least 1; the thread that calls is one of
    /// them.
    pub fn threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// The instruction set of the kernels. Without, it is the fastest of this CPU, or the one that the
    /// environment variable `EDGECLIP_ISA` names. All give the same bits.
    pub fn isa(self, isa: Isa) -> Self {
        Self { isa: Some(isa), ..self }
    }

    /// The whole network in float through tract, to compare with.
    pub fn in_float(self) -> Self {
        Self { int8: false, ..self }
    }

    /// Opens the ONNX file `path`, whose only input is a picture `[1, channels, height, width]` of a fixed
    /// size. It runs through the int8 kernels if it can be lowered to them, else in float through tract.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [`Error::Threads`] if the system cannot start that many,
    /// [`Error::Model`] if it is no such network, [`Error::Setting`] if `EDGECLIP_ISA` names no instruction
    /// set of this CPU.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Engine> {
        let file = path.as_ref().display().to_string();
        let bytes = fs::read(path).map_err(|source| Error::Io { name: file.clone(), source })?;
        self.load(&file, &bytes)
    }

    /// The same of the ONNX file in `bytes`, called `file` in errors.
    ///
    /// # Errors
    /// Same as [`Options::open`].
    pub fn load(&self, file: &str, bytes: &[u8]) -> Result<Engine> {
        let proto = parse(file, bytes)?;
        if !self.int8 {
            return Engine::float(file.to_owned(), proto);
        }
        let isa = match self.isa {
            Some(isa) => isa,
            None => Isa::chosen()?,
        };
        Engine::int8(file.to_owned(), proto, isa, self.threads)
    }
}

impl Engine {
    /// Opens the ONNX file `path` with the [`Options`] that are usual.
    ///
    /// # Errors
    /// Same as [`Options::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Options::default().open(path)
    }

    /// How a network is to run; then [`Options::open`] it.
    pub fn options() -> Options {
        Options::default()
    }
}
