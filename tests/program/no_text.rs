//! A program without text tower, whose model may be deflated.

use std::path::Path;

use crate::common::edgeclip;
use crate::common::live::Running;

#[test]
fn the_model_inside_is_the_one_of_the_manifest() {
    let report = edgeclip(Path::new("."), &["doctor", "--json"]).ok().json().remove(0);
    let checks = report["checks"].as_array().unwrap();
    let model = checks.iter().find(|check| check["name"] == "model").unwrap();
    assert_eq!(model["state"], "ok", "{report}");
    let names: Vec<&String> = model["details"]["sha256"].as_object().unwrap().keys().collect();
    let expected = [
        "classes.safetensors",
        "features.safetensors",
        "negatives.vocab.safetensors",
        "prompt.onnx",
        "vision.onnx",
    ];
    assert_eq!(names, expected);
}

#[test]
fn words_are_refused_with_what_to_type_instead() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let parts = [
        "text.onnx: found a program built without text tower, expected --vocab FILE",
        "edgeclip vocab build --prompt",
    ];
    edgeclip(root, &["detect", "tests/data/cat.jpg", "--prompt", "dog"]).refuses(&parts);
    let folder = tempfile::tempdir().unwrap();
    edgeclip(folder.path(), &["vocab", "build", "--prompt", "dog", "--out", "dog.vocab.safetensors"])
        .refuses(&parts);
    assert!(!folder.path().join("dog.vocab.safetensors").exists());
}

#[test]
fn vocabulary_files_and_bundles_without_text_tower_serve() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "model.toml",
        "vision.onnx",
        "prompt.onnx",
        "negatives.vocab.safetensors",
        "features.safetensors",
        "classes.safetensors",
    ] {
        std::fs::copy(root.join("models/default").join(name), folder.path().join(name)).unwrap();
    }
    let model = folder.path().to_str().unwrap();
    // The bank of everyday names is a vocabulary like any other.
    let vocabulary = "models/default/negatives.vocab.safetensors";
    let detect = ["detect", "tests/data/cat.jpg", "--threshold", "0.01", "--vocab", vocabulary];
    for more in [&[][..], &["--model", model]] {
        let found = edgeclip(root, &[&detect, more].concat()).ok().json();
        assert!(!found[0]["tags"].as_array().unwrap().is_empty(), "{found:?}");
    }
}

#[test]
fn eval_takes_vocabulary_files_and_answers_words_with_an_error() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    command.arg("eval").current_dir(root);
    let mut eval = Running::command(command);
    eval.read();
    eval.send(b"{\"vocabulary\": [\"dog\"]}\n");
    let error = eval.line()["error"].as_str().unwrap().to_owned();
    assert!(error.contains("found a program built without text tower"), "{error}");
    eval.send(b"{\"vocabulary\": {\"file\": \"models/default/negatives.vocab.safetensors\"}, \"path\": \"tests/data/cat.jpg\", \"tags\": true}\n");
    let answer = eval.line();
    assert_eq!(answer["tags"]["shape"][0], answer["vocabulary"]["labels"], "{answer}");
}
