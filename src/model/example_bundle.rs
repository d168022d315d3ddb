//! A copy of the default bundle for tests, with a space for examples of their own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::{TempDir, tempdir};

#[path = "../../tests/program/common/example_manifest.rs"]
mod example_manifest;
use example_manifest::with_examples;

/// The bundle with `features` as its `features.safetensors`.
pub(crate) fn made(features: &[u8]) -> TempDir {
    let copy = tempdir().unwrap();
    let from = default_folder();
    for entry in fs::read_dir(&from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let manifest = fs::read_to_string(from.join("model.toml")).unwrap();
    let mut hash = String::new();
    for byte in Sha256::digest(features) {
        write!(hash, "{byte:02x}").unwrap();
    }
    let manifest = with_examples(&manifest, [1.2, 0.7], &hash);
    fs::write(copy.path().join("model.toml"), manifest).unwrap();
    fs::write(copy.path().join("features.safetensors"), features).unwrap();
    copy
}

fn default_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default")
}
