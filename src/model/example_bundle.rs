//! A copy of the default bundle for tests, with a space for examples of their own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::{TempDir, tempdir};

/// What its manifest says of examples.
const SECTION: &str = r#"
[examples]
scale = 10.0
floor = 0.55
counter_scale = 25.0
sharpness = 4.0
[examples.region]
maps = ["semantic"]
expand = 1.2
square = true
samples = 4
embedding = 1.2
beside_words = [[0.907, 1.456, 2.696, -13.34], [0.765, 2.227, 0.987, -17.99]]
alone = [[2.521, -6.104], [2.978, -8.948]]
[examples.picture]
maps = ["semantic"]
expand = 1.0
square = false
samples = 7
embedding = 0.7
beside_words = [[0.813, 2.843, -7.951, -6.86], [0.444, 3.57, -11.409, -11.9]]
alone = [[3.975, -15.539], [4.253, -19.72]]

[files]
"#;

/// The bundle with `features` as its `features.safetensors`.
pub(crate) fn made(features: &[u8]) -> TempDir {
    let copy = tempdir().unwrap();
    let from = default_folder();
    for entry in fs::read_dir(&from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let manifest = fs::read_to_string(from.join("model.toml")).unwrap();
    let (before, files) = manifest.split_once("\n[files]\n").unwrap();
    let before = before.split_once("\n[examples]\n").map_or(before, |(before, _)| before);
    let others = files.lines().filter(|line| !line.starts_with("\"features.safetensors\""));
    let mut hash = String::new();
    for byte in Sha256::digest(features) {
        write!(hash, "{byte:02x}").unwrap();
    }
    let files = others.map(|line| format!("{line}\n")).collect::<String>();
    let manifest = format!("{before}{SECTION}\"features.safetensors\" = \"{hash}\"\n{files}");
    fs::write(copy.path().join("model.toml"), manifest).unwrap();
    fs::write(copy.path().join("features.safetensors"), features).unwrap();
    copy
}

fn default_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default")
}
