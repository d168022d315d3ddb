//! What a broken model folder says: one line naming the file, what was found and what was expected.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::{TempDir, tempdir};

use crate::error::Result;
use crate::model::{Bundle, Networks, Prompter, TextTower, Vision};

const FILES: [&str; 7] = [
    "vision.onnx",
    "prompt.onnx",
    "text.onnx",
    "tokenizer.json",
    "negatives.vocab.safetensors",
    "features.safetensors",
    "classes.safetensors",
];

/// A copy of the default bundle that may be broken.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let copy = Self(tempdir().unwrap());
        for name in FILES.iter().chain([&"model.toml"]) {
            fs::copy(default_folder().join(name), copy.path(name)).unwrap();
        }
        copy
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn manifest(&self) -> String {
        fs::read_to_string(self.path("model.toml")).unwrap()
    }

    /// Replaces text of the manifest, which must be there.
    fn edit(&self, from: &str, to: &str) {
        let manifest = self.manifest();
        assert!(manifest.contains(from), "no \"{from}\" in the manifest");
        fs::write(self.path("model.toml"), manifest.replacen(from, to, 1)).unwrap();
    }

    /// Replaces a number or string of the manifest, whatever it is.
    fn set(&self, key: &str, value: &str) {
        let manifest = self.manifest();
        let line = manifest.lines().find(|line| line.split('=').next().is_some_and(|k| k.trim() == key));
        self.edit(line.unwrap_or_else(|| panic!("no key {key}")), &format!("{key} = {value}"));
    }

    /// Replaces a file and its hash, so that only its contents are wrong.
    fn replace(&self, name: &str, bytes: &[u8]) {
        let hash =
            |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
        self.edit(&hash(&fs::read(self.path(name)).unwrap()), &hash(bytes));
        fs::write(self.path(name), bytes).unwrap();
    }

    fn open(&self) -> Result<Bundle> {
        Bundle::open(self.0.path())
    }
}

fn default_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default")
}

/// Asserts a one-line error of exit code 2 that holds all of `parts`.
fn refused<T>(result: Result<T>, parts: &[&str]) {
    let Err(error) = result else { panic!("accepted, expected {parts:?}") };
    let line = error.to_string();
    assert_eq!(error.exit_code(), 2, "{line}");
    assert!(!line.contains('\n') && line.len() < 800, "{line}");
    for part in parts.iter().chain([&"found", &"expected"]) {
        assert!(line.contains(part), "no \"{part}\" in: {line}");
    }
}

#[test]
fn the_committed_bundle_vouches_for_every_file_that_is_compiled_in() {
    let (embedded, open) = (Bundle::embedded().unwrap(), Bundle::open(&default_folder()).unwrap());
    assert_eq!(embedded.manifest.files, open.manifest.files);
    for name in FILES {
        assert!(embedded.file(name).unwrap() == open.file(name).unwrap(), "{name} differs");
    }
}

#[test]
fn a_folder_that_is_none() {
    let copy = Copy::new();
    refused(Bundle::open(&copy.path("absent")), &["absent", "nothing there", "model.toml"]);
    refused(Bundle::open(&copy.path("text.onnx")), &["text.onnx", "found a file"]);
}

#[test]
fn each_missing_file_is_named() {
    for name in FILES.iter().chain([&"model.toml"]) {
        let copy = Copy::new();
        fs::remove_file(copy.path(name)).unwrap();
        refused(copy.open(), &[&copy.path(name).display().to_string(), "no such file"]);
    }
}

#[test]
fn a_changed_file_shows_both_hashes() {
    let copy = Copy::new();
    let mut bytes = fs::read(copy.path("prompt.onnx")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(copy.path("prompt.onnx"), &bytes).unwrap();
    let bundle = copy.open().unwrap();
    let expected = bundle.manifest.files["prompt.onnx"].clone();
    let found: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    refused(Prompter::load(&bundle), &["prompt.onnx", &found, &expected]);
    refused(Networks::load(&bundle, false, 1), &["prompt.onnx"]);
    Vision::load(&bundle, 1).map(|_| ()).unwrap();
}

#[test]
fn networks_cut_short_or_of_another_kind() {
    let copy = Copy::new();
    for name in ["vision.onnx", "text.onnx", "prompt.onnx"] {
        let whole = fs::read(copy.path(name)).unwrap();
        for length in [0, 1, whole.len() / 3, whole.len() - 1] {
            copy.replace(name, &whole[..length]);
            let bundle = copy.open().unwrap();
            let loaded = match name {
                "vision.onnx" => Vision::load(&bundle, 1).map(|_| ()),
                "text.onnx" => TextTower::load(&bundle).map(|_| ()),
                _ => Prompter::load(&bundle).map(|_| ()),
            };
            refused(loaded, &[name]);
        }
        copy.replace(name, &whole);
    }
    copy.replace("vision.onnx", &fs::read(copy.path("prompt.onnx")).unwrap());
    refused(Vision::load(&copy.open().unwrap(), 1), &["vision.onnx"]);
    copy.replace("tokenizer.json", b"{\"version\": 1}");
    refused(TextTower::load(&copy.open().unwrap()), &["tokenizer.json", "a tokenizer of BertNormalizer"]);
}

#[test]
fn a_manifest_that_contradicts_the_network() {
    for (key, value, parts) in [
        ("bins", "9", ["level8", "37"]),
        ("embedding", "128", ["image_embedding", "128"]),
        ("size", "640", ["vision.onnx", "[1, 3, 640, 640]"]),
    ] {
        let copy = Copy::new();
        copy.set(key, value);
        refused(Vision::load(&copy.open().unwrap(), 1), &parts);
    }
    let copy = Copy::new();
    copy.edit(
        "[[region.pool]]",
        "[[region.pool]]\nmaps = [\"nowhere\"]\nexpand = 1.0\nsquare = false\nsamples = 2\n[[region.pool]]",
    );
    refused(Vision::load(&copy.open().unwrap(), 1), &["vision.onnx", "an output called nowhere"]);
}

/// How the section of the detector's classes begins.
const CLASSES: &str = "[classes]\nmaps = [\"tower8\", \"tower16\", \"tower32\"]";

#[test]
fn maps_of_classes_that_do_not_fit_their_levels() {
    let copy = Copy::new();
    copy.edit(CLASSES, "[classes]\nmaps = [\"tower8\", \"tower8\", \"tower32\"]");
    let expected = ["output tower8", "20 x 20 cells, as its level has"];
    refused(Vision::load(&copy.open().unwrap(), 1), &expected);
    let copy = Copy::new();
    copy.edit(CLASSES, "[classes]\nmaps = [\"tower8\", \"tower16\"]");
    refused(copy.open(), &["classes.maps", "one map for each stride"]);
}

#[test]
fn a_bundle_without_classes_needs_no_file_of_them() {
    let copy = Copy::new();
    let manifest = copy.manifest();
    let (before, section) = manifest.split_once("[classes]\n").unwrap();
    let (_, after) = section.split_once("\n\n").unwrap();
    let kept = after.lines().filter(|line| !line.starts_with("\"classes.safetensors\""));
    let kept: Vec<&str> = kept.collect();
    fs::write(copy.path("model.toml"), format!("{before}{}\n", kept.join("\n"))).unwrap();
    fs::remove_file(copy.path("classes.safetensors")).unwrap();
    let bundle = copy.open().unwrap();
    assert!(Networks::load(&bundle, false, 1).unwrap().classes.is_none());
    assert!(bundle.verify().unwrap().iter().all(|(name, _)| *name != "classes.safetensors"));
}

#[test]
fn a_broken_or_missing_file_of_classes() {
    let copy = Copy::new();
    copy.replace("classes.safetensors", b"no tensors");
    refused(Networks::load(&copy.open().unwrap(), false, 1), &["classes.safetensors", "a safetensors file"]);
    fs::remove_file(copy.path("classes.safetensors")).unwrap();
    refused(copy.open(), &["classes.safetensors", "no such file", "[classes] of model.toml"]);
}

#[test]
fn manifest_values_out_of_range() {
    for (key, value) in [
        ("format", "2"),
        ("embedding", "0"),
        ("text_max_tokens", "2"),
        ("templates", "[]"),
        ("templates", "[\"no hole\"]"),
        ("templates", "[\"{} and {}\"]"),
        ("size", "0"),
        ("strides", "[]"),
        ("strides", "[7]"),
        ("bins", "1"),
        ("max_candidates", "0"),
        ("min_objectness", "1.5"),
        ("candidate_iou", "-0.1"),
        ("label_iou", "nan"),
        ("expand", "0.0"),
        ("samples", "0"),
        ("threshold", "2.0"),
        ("max_similarity", "inf"),
        ("ramp", "[0.9, 0.8]"),
        ("ramp", "[0.9, 1.1]"),
    ] {
        let copy = Copy::new();
        copy.set(key, value);
        refused(copy.open(), &["model.toml", key]);
    }
}

#[test]
fn manifests_that_cannot_be_read() {
    let copy = Copy::new();
    let whole = copy.manifest();
    let write = |text: &[u8]| fs::write(copy.path("model.toml"), text).unwrap();

    write(whole.replacen("bins", "bin", 1).as_bytes());
    let line = whole.lines().position(|line| line.starts_with("bins")).unwrap() + 1;
    refused(copy.open(), &[&format!("line {line}"), "bin"]);
    write(format!("surprise = 1\n{whole}").as_bytes());
    refused(copy.open(), &["model.toml", "surprise", "line 1"]);
    write(&whole.as_bytes()[..whole.find("[score]").unwrap() + 4]);
    refused(copy.open(), &["model.toml"]);
    write(b"\xff\xfe not text");
    refused(copy.open(), &["model.toml", "UTF-8"]);
    write(b"");
    refused(copy.open(), &["model.toml", "missing field"]);
    let unvouched: Vec<&str> = whole.lines().filter(|line| !line.starts_with("\"text.onnx\"")).collect();
    write(unvouched.join("\n").as_bytes());
    refused(copy.open(), &["model.toml", "no hash of text.onnx"]);
}

#[test]
#[cfg(feature = "text")]
fn an_unreadable_file_is_an_io_error() {
    let copy = Copy::new();
    let bundle = copy.open().unwrap();
    fs::remove_file(copy.path("tokenizer.json")).unwrap();
    let Err(error) = TextTower::load(&bundle) else { panic!("loaded without a tokenizer") };
    assert!(error.io_error().is_some() && error.name().ends_with("tokenizer.json"), "{error}");
    assert_eq!(error.exit_code(), 2);
}
