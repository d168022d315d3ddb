//! `edgeclip eval` from end to end.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use safetensors::SafeTensors;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::common::live::Running;
use crate::common::{edgeclip, photo, picture};

/// Nobody reads its answers yet.
fn unread(folder: &Path) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    command.arg("eval").current_dir(folder);
    Running::command(command)
}

fn start(folder: &Path) -> Running {
    let mut running = unread(folder);
    running.read();
    running
}

fn ask(running: &mut Running, request: &Value) -> Value {
    running.send(format!("{request}\n").as_bytes());
    let answer = running.line();
    assert_eq!(answer["id"], request["id"]);
    answer
}

/// Shape and values of an array in an answer.
fn array(answer: &Value) -> (Vec<usize>, Vec<f32>) {
    let shape = answer["shape"].as_array().unwrap_or_else(|| panic!("no array: {answer}"));
    let shape: Vec<usize> = shape.iter().map(|n| n.as_u64().unwrap() as usize).collect();
    let bytes = STANDARD.decode(answer["f32"].as_str().unwrap()).unwrap();
    let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|v| f32::from_le_bytes(*v)).collect();
    assert_eq!(values.len(), shape.iter().product::<usize>());
    (shape, values)
}

fn tensor(file: &SafeTensors, name: &str) -> Vec<f32> {
    let view = file.tensor(name).unwrap();
    view.data().as_chunks::<4>().0.iter().map(|v| f32::from_le_bytes(*v)).collect()
}

#[test]
fn answers_are_those_of_embed_detect_and_vocab() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    photo(&path.join("a.jpg"));
    std::fs::write(path.join("boxes.json"), r#"{"a.jpg": [[100, 20, 300, 400.5], [0, 0, 50, 60]]}"#).unwrap();
    edgeclip(path, &["embed", "a.jpg", "--boxes", "boxes.json", "--dense", "--out", "e.safetensors"]).ok();
    edgeclip(path, &["vocab", "build", "--prompt", "person, rocket", "--out", "v.vocab.safetensors"]).ok();
    let detect = ["detect", "a.jpg", "--vocab", "v.vocab.safetensors", "--threshold", "0.01", "--top", "3"];
    let detected = edgeclip(path, &detect).ok().json().remove(0);
    let bytes = std::fs::read(path.join("e.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();

    let mut eval = start(path);
    let set = ask(&mut eval, &json!({"id": "v", "vocabulary": ["person", "rocket"]}));
    assert_eq!(set["vocabulary"]["labels"], 2);
    assert!(set["vocabulary"]["negatives"].as_u64().unwrap() > 0);
    let all = json!({"id": 1, "path": "a.jpg", "image": true, "boxes": [[100, 20, 300, 400.5], [0, 0, 50, 60]],
        "dense": true, "detect": {"threshold": 0.01, "top": 3}, "tags": true});
    let answer = ask(&mut eval, &all);
    assert_eq!((answer["width"].as_u64(), answer["height"].as_u64()), (Some(512), Some(512)));
    let (shape, image) = array(&answer["image"]);
    assert_eq!((shape.len(), image), (1, tensor(&file, "images")));
    let (shape, boxes) = array(&answer["boxes"]);
    assert_eq!((shape[0], boxes), (2, tensor(&file, "regions")));
    let (shape, dense) = array(&answer["dense"]);
    assert_eq!((&shape[..], dense), (&file.tensor("dense").unwrap().shape()[1..], tensor(&file, "dense")));
    assert_eq!(answer["content"], json!([0.0, 0.0, 1.0, 1.0]));

    let found = &answer["detect"];
    let expected = detected["detections"].as_array().unwrap();
    assert!(!expected.is_empty());
    let (_, corners) = array(&found["boxes"]);
    let (_, scores) = array(&found["scores"]);
    assert_eq!(scores.len(), expected.len());
    for (i, one) in expected.iter().enumerate() {
        let label = ["person", "rocket"][found["labels"][i].as_u64().unwrap() as usize];
        assert_eq!(one["label"], label);
        assert!((one["score"].as_f64().unwrap() - f64::from(scores[i])).abs() <= 5.1e-5);
        for (corner, value) in corners[4 * i..4 * i + 4].iter().zip(one["box"].as_array().unwrap()) {
            assert!((value.as_f64().unwrap() - f64::from(*corner)).abs() <= 0.051);
        }
    }
    let (shape, tags) = array(&answer["tags"]);
    assert_eq!(shape, [2]);
    assert!(tags.iter().all(|tag| (0.0..=1.0).contains(tag)));
    for tag in detected["tags"].as_array().unwrap() {
        let label = usize::from(tag["label"] == "rocket");
        assert!((tag["score"].as_f64().unwrap() - f64::from(tags[label])).abs() <= 5.1e-5);
    }

    let content = STANDARD.encode(std::fs::read(path.join("a.jpg")).unwrap());
    let carried = ask(&mut eval, &json!({"id": 2, "base64": content, "image": true}));
    assert_eq!(carried["image"], answer["image"]);
    let both = json!({"id": 3, "vocabulary": {"file": "v.vocab.safetensors"}, "path": "a.jpg", "tags": true});
    assert_eq!(ask(&mut eval, &both)["tags"], answer["tags"]);
    let (_, texts) = array(&ask(&mut eval, &json!({"id": 4, "texts": ["person", "a = b, c"]}))["texts"]);
    let bytes = std::fs::read(path.join("v.vocab.safetensors")).unwrap();
    let words = tensor(&SafeTensors::deserialize(&bytes).unwrap(), "embeddings");
    let dimension = texts.len() / 2;
    let cosine: f32 = texts[..dimension].iter().zip(&words[..dimension]).map(|(a, b)| a * b).sum();
    assert!((cosine - 1.0).abs() < 1e-4, "{cosine}");
    eval.no_more();
    let ended = eval.end();
    assert_eq!((ended.code, ended.errors), (Some(0), Vec::new()));
}

#[test]
fn detections_have_no_limit_but_the_one_asked_for() {
    let folder = tempdir().unwrap();
    picture(&folder.path().join("a.png"), 90, 60);
    let mut eval = start(folder.path());
    let request = json!({"id": 0, "vocabulary": ["dog", "cat"], "path": "a.png", "detect": {}});
    let all = array(&ask(&mut eval, &request)["detect"]["scores"]).1;
    assert!(all.is_sorted_by(|a, b| a >= b));
    let request = json!({"id": 0, "path": "a.png", "detect": {"top": 1, "threshold": 0.0}});
    assert_eq!(array(&ask(&mut eval, &request)["detect"]["scores"]).1, all[..all.len().min(1)]);
    let request = json!({"id": 0, "path": "a.png", "detect": {"threshold": 1.0}, "boxes": []});
    let answer = ask(&mut eval, &request);
    assert_eq!(array(&answer["detect"]["boxes"]).0, [0, 4]);
    assert_eq!(array(&answer["boxes"]).0[0], 0);
}

#[test]
fn what_cannot_be_used_is_answered_and_the_next_is_read() {
    let folder = tempdir().unwrap();
    picture(&folder.path().join("a.png"), 30, 20);
    std::fs::write(folder.path().join("b.png"), "no picture").unwrap();
    let mut eval = start(folder.path());
    for (request, parts) in [
        (json!({"id": 1}), &["nothing to do", "docs/eval.md"][..]),
        (json!({"id": [2], "path": "b.png", "image": true}), &["b.png: found no picture"]),
        (json!({"id": 3, "path": "none.png"}), &["none.png: found nothing there"]),
        (json!({"id": 4, "base64": "?"}), &["base64: found"]),
        (json!({"id": 4, "base64": "bm8="}), &["base64: found no picture"]),
        (json!({"id": 5, "path": "a.png", "base64": "", "tags": true}), &["both path and base64"]),
        (json!({"id": 6, "tags": true}), &["without a picture"]),
        (json!({"id": 7, "path": "a.png", "tags": true}), &["no vocabulary so far"]),
        (
            json!({"id": 8, "path": "a.png", "boxes": [[0, 0, 9, 9], [9, 9, 3, 3]]}),
            &["box 1", "inside 30x20 pixels"],
        ),
        (json!({"id": 9, "path": "a.png", "boxes": [[1, 2, 3]]}), &["request: found"]),
        (json!({"id": 10, "path": "a.png", "dens": true}), &["unknown field `dens`"]),
        (json!({"id": 11, "vocabulary": []}), &["vocabulary: found 0 names"]),
        (json!({"id": 12, "vocabulary": ["dog", " "]}), &["no text"]),
        (json!({"id": 13, "vocabulary": {"file": "none.safetensors"}}), &["none.safetensors"]),
        (json!({"id": 14, "texts": ["dog", "dog ".repeat(300)]}), &["tokens"]),
    ] {
        let answer = ask(&mut eval, &request);
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("{request}: {answer}"));
        assert!(parts.iter().all(|part| error.contains(part)), "{request}: {error}");
        assert_eq!(answer.as_object().unwrap().len(), 2);
    }
    for bad in ["{\"id\": 1", "[]", "\u{1}"] {
        eval.send(format!("{bad}\n\n").as_bytes());
        let answer = eval.line();
        assert!(answer["id"].is_null() && answer["error"].is_string(), "{bad}: {answer}");
    }
    assert_eq!(
        array(&ask(&mut eval, &json!({"id": 15, "path": "a.png", "image": true}))["image"]).0.len(),
        1
    );
    eval.no_more();
    assert_eq!(eval.end().code, Some(0));
}

#[test]
fn a_model_that_is_none_ends_it() {
    let folder = tempdir().unwrap();
    edgeclip(folder.path(), &["eval", "--model", "nowhere"]).refuses(&["nowhere"]);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = tempdir().unwrap();
    let mut eval = unread(folder.path());
    eval.deafen();
    eval.send(b"{\"id\": 1}\n");
    let ended = eval.end();
    assert_eq!((ended.code, ended.errors), (Some(0), Vec::new()));
}
