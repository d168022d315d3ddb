//! Opening networks.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::memory::Budget;
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
    budget: Option<Budget>,
}

impl Default for Options {
    fn default() -> Self {
        Self { threads: 1, isa: None, int8: true, budget: None }
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

    /// The whole network in float through tract, quantised where the file says so, to compare with.
    pub fn in_float(self) -> Self {
        Self { int8: false, ..self }
    }

    /// The bytes that the tensors of one pass may take together, the file itself, and the constants that are
    /// computed while the network is loaded. Without, it is half of the memory that this process may have, at
    /// most 1 GiB. A network that needs more is an [`Error::Model`].
    pub fn memory(self, bytes: usize) -> Self {
        Self { budget: Some(Budget::of(bytes)), ..self }
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
        let budget = self.budget.unwrap_or_default();
        let mut bytes = Vec::new();
        let most = (budget.bytes() as u64).saturating_add(1);
        let read = File::open(path).and_then(|opened| opened.take(most).read_to_end(&mut bytes));
        read.map_err(|source| Error::Io { name: file.clone(), source })?;
        if bytes.len() > budget.bytes() {
            return Err(Error::model(file, "a file of more bytes than that", budget.expected()));
        }
        Self { budget: Some(budget), ..self.clone() }.load(&file, &bytes)
    }

    /// The same of the ONNX file in `bytes`, called `file` in errors.
    ///
    /// # Errors
    /// Same as [`Options::open`].
    pub fn load(&self, file: &str, bytes: &[u8]) -> Result<Engine> {
        let proto = parse(file, bytes)?;
        let budget = self.budget.unwrap_or_default();
        let isa = match self.isa {
            Some(isa) => isa,
            None => Isa::chosen()?,
        };
        Engine::new(file.to_owned(), proto, isa, self.threads, self.int8, budget)
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
