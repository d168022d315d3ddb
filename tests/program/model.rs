//! What the program says about models that it can run, but not well, and about broken ones.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::common::{edgeclip, picture};

/// A copy of the default model in `folder` whose vision network went through `change`.
fn changed_model(folder: &Path, change: impl Fn(&mut Vec<u8>)) {
    let (default, model) =
        (Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default"), folder.join("model"));
    fs::create_dir(&model).unwrap();
    for entry in fs::read_dir(&default).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
    }
    let hash = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let original = fs::read(default.join("vision.onnx")).unwrap();
    let mut bytes = original.clone();
    change(&mut bytes);
    let manifest = fs::read_to_string(default.join("model.toml")).unwrap();
    fs::write(model.join("model.toml"), manifest.replace(&hash(&original), &hash(&bytes))).unwrap();
    fs::write(model.join("vision.onnx"), bytes).unwrap();
}

/// Where `part` begins in `bytes`.
fn places(bytes: &[u8], part: &[u8]) -> Vec<usize> {
    (0..bytes.len().saturating_sub(part.len())).filter(|&at| bytes[at..].starts_with(part)).collect()
}

#[test]
fn a_network_in_float_still_runs_with_one_warning() {
    let folder = tempfile::tempdir().unwrap();
    picture(&folder.path().join("blocks.png"), 90, 60);
    // Every other scale of activations is the least number there is, with which no rule can requantise.
    changed_model(folder.path(), |bytes| {
        let scalar = b"\x10\x01\"\x04";
        let scales = places(bytes, scalar).into_iter().map(|at| at + scalar.len());
        let scales: Vec<usize> = scales.filter(|at| bytes.get(at + 4) == Some(&b'B')).collect();
        assert!(scales.len() > 200, "{} scales", scales.len());
        for &at in scales.iter().skip(1).step_by(2) {
            bytes[at..at + 4].copy_from_slice(&f32::from_bits(1).to_le_bytes());
        }
    });
    let arguments = |model: &[&'static str]| {
        let mut all = vec!["detect", "blocks.png", "--prompt", "red block"];
        all.extend(model);
        all
    };
    let slow = edgeclip(folder.path(), &arguments(&["--model", "model"]));
    let lines: Vec<&str> = slow.stderr.lines().collect();
    assert_eq!((slow.code, lines.len()), (Some(0), 1), "{}", slow.stderr);
    assert!(lines[0].starts_with("edgeclip: warning: vision.onnx runs "), "{}", lines[0]);
    assert!(
        lines[0].contains("% in float, which is slow: ") && lines[0].contains("a bias beyond int32"),
        "{}",
        lines[0]
    );
    // The default model says nothing.
    edgeclip(folder.path(), &arguments(&[])).ok();
}

#[test]
fn an_op_that_nobody_knows_is_named() {
    let folder = tempfile::tempdir().unwrap();
    picture(&folder.path().join("blocks.png"), 90, 60);
    changed_model(folder.path(), |bytes| {
        let at = places(bytes, b"\"\tLeakyRelu")[0];
        bytes[at + 2..at + 11].copy_from_slice(b"LeakyRope");
    });
    let answer = edgeclip(folder.path(), &["detect", "blocks.png", "--prompt", "cat", "--model", "model"]);
    answer.refuses(&["vision.onnx", "node ", "the unsupported op LeakyRope"]);
}
