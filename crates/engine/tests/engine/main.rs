//! The engine by its public functions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod errors;
mod fourier;
mod nodes;
mod small;

use std::path::{Path, PathBuf};

/// The folder of the small networks.
fn networks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks")
}
