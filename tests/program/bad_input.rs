//! Whatever the user gets wrong: one line that says so, exit code 2, and the rest of the call is still done.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::{TempDir, tempdir};

use crate::common::{edgeclip, picture};

const PROMPT: [&str; 2] = ["--prompt", "person, dog"];

/// A folder with the picture `good.png`.
fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    picture(&folder.path().join("good.png"), 40, 30);
    folder
}

/// Detects in `good.png`, `name`, `good.png`: the good ones must be done, the bad one refused with all of `parts`.
fn bad_picture(folder: &Path, name: &str, parts: &[&str]) {
    let answer = edgeclip(folder, &["detect", "good.png", name, "good.png", PROMPT[0], PROMPT[1]]);
    answer.refuses(&[&[name, "found", "expected"], parts].concat());
    let paths: Vec<_> = answer.json().into_iter().map(|line| line["path"].clone()).collect();
    assert_eq!(paths, ["good.png", "good.png"], "{name}");
}

/// CRC-32 as PNG uses it.
fn crc(bytes: &[u8]) -> u32 {
    let bit = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), bit))
}

/// A PNG file that claims a size and holds next to nothing.
fn huge_png(side: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [b"IHDR".as_slice(), &side.to_be_bytes(), &side.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    for chunk in [header, b"IDAT\x78\x9c\x63\x00\x00\x00\x01\x00\x01".to_vec(), b"IEND".to_vec()] {
        file.extend(((chunk.len() - 4) as u32).to_be_bytes());
        file.extend(&chunk);
        file.extend(crc(&chunk).to_be_bytes());
    }
    file
}

/// A copy of the default model in `folder`.
fn model_copy(folder: &Path) -> PathBuf {
    let model = folder.join("model");
    fs::create_dir(&model).unwrap();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
    }
    model
}

#[test]
fn unusable_pictures_are_refused_and_the_others_done() {
    let folder = folder();
    let path = folder.path();
    let write = |name: &str, bytes: &[u8]| fs::write(path.join(name), bytes).unwrap();
    write("empty.jpg", b"");
    write("notes.jpg", b"Dear diary, this is not a picture.\n");
    write("huge.png", &huge_png(60_000));
    write("zero.png", &huge_png(0));
    for name in ["whole.jpg", "whole.png", "whole.webp"] {
        let bytes = fs::read(picture(&path.join(name), 300, 200)).unwrap();
        write(&name.replace("whole", "cut"), &bytes[..bytes.len() / 2]);
    }
    fs::create_dir(path.join("no pictures")).unwrap();

    bad_picture(path, "missing.jpg", &["nothing there"]);
    bad_picture(path, "empty.jpg", &["empty"]);
    bad_picture(path, "notes.jpg", &["picture"]);
    bad_picture(path, "huge.png", &["60000x60000"]);
    bad_picture(path, "zero.png", &[]);
    for name in ["cut.jpg", "cut.png", "cut.webp"] {
        bad_picture(path, name, &["picture"]);
    }
    bad_picture(path, "no pictures", &["folder"]);
    bad_picture(path, "none-*.jpg", &["pattern"]);
    bad_picture(path, "[", &["pattern"]);
}

#[test]
fn a_line_break_in_a_name_stays_one_line() {
    let folder = folder();
    edgeclip(folder.path(), &["detect", "a\nb.jpg", PROMPT[0], PROMPT[1]]).refuses(&["a b.jpg"]);
}

#[test]
fn a_name_that_a_terminal_would_obey_is_shown_without() {
    let folder = folder();
    let name = "\u{1b}[2J\u{202e}a\nb";
    let words = format!("{name}.safetensors");
    let shows = |arguments: &[&str]| {
        let answer = edgeclip(folder.path(), arguments);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(answer.stdout.contains(" [2J a b"), "{answer:?}");
        assert!(!answer.stdout.contains(['\u{1b}', '\u{202e}']), "{answer:?}");
    };
    shows(&["vocab", "build", "--prompt", "cat", "--out", &words]);
    shows(&["vocab", "show", &words]);
    fs::copy(folder.path().join("good.png"), folder.path().join(name)).unwrap();
    shows(&["detect", name, "--vocab", &words, "--format", "text"]);
    let network = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/engine/tests/networks/mobile_int8.onnx");
    fs::copy(network, folder.path().join(name)).unwrap();
    shows(&["bench", "--onnx", name, "--runs", "1", "--explain"]);
}

#[test]
fn wrong_command_lines_are_refused() {
    let folder = folder();
    let refused = |arguments: &[&str], parts: &[&str]| edgeclip(folder.path(), arguments).refuses(parts);
    refused(&["detect", "good.png"], &["--prompt", "--vocab"]);
    refused(&["detect", "good.png", "--prompt", "a", "--vocab", "b"], &["both"]);
    refused(&["detect", "--prompt", "a"], &["<PATH>"]);
    refused(&["detect", "good.png", "--prompt", "a", "--threshold", "1.5"], &["1.5", "0 to 1"]);
    refused(&["detect", "good.png", "--prompt", "a", "--threshold", "nan"], &["nan", "0 to 1"]);
    refused(&["detect", "good.png", "--prompt", "a", "--top", "0"], &["--top"]);
    refused(&["detect", "good.png", "--prompt", "a", "--format", "xml"], &["xml", "jsonl"]);
    refused(&["find"], &["find"]);
    assert_eq!(edgeclip::<&str>(folder.path(), &[]).code, Some(2));
}

#[test]
fn unusable_prompts_are_refused() {
    let folder = folder();
    fs::write(folder.path().join("latin1.txt"), b"caf\xe9\n").unwrap();
    let refused = |prompt: &str, parts: &[&str]| {
        edgeclip(folder.path(), &["detect", "good.png", "--prompt", prompt]).refuses(parts);
    };
    refused("", &["no prompt", "at least one"]);
    refused(" , ,", &["no prompt", "at least one"]);
    refused(&"long ".repeat(1000), &["4999 characters", "at most 500"]);
    refused(&["very"; 99].join(" "), &["tokens", "at most"]);
    refused("@latin1.txt", &["latin1.txt", "not UTF-8"]);
    refused("@missing.txt", &["missing.txt", "No such file"]);
    refused("pet = dog, pet = cat", &["pet"]);
}

#[test]
fn five_thousand_prompts_work() {
    let folder = folder();
    let prompts: Vec<String> = (0..5000).map(|i| format!("thing {i}")).collect();
    fs::write(folder.path().join("many.txt"), prompts.join("\n")).unwrap();
    let answer = edgeclip(folder.path(), &["detect", "good.png", "--prompt", "@many.txt"]).ok();
    assert_eq!(answer.json().len(), 1);
}

#[test]
fn unusable_models_are_refused() {
    let folder = folder();
    let refused = |parts: &[&str]| {
        edgeclip(folder.path(), &["detect", "good.png", PROMPT[0], PROMPT[1], "--model", "model"])
            .refuses(parts);
    };
    refused(&["model", "nothing there", "expected a model folder"]);
    fs::create_dir(folder.path().join("model")).unwrap();
    refused(&["model", "found no such file"]);
    fs::remove_dir(folder.path().join("model")).unwrap();

    let model = model_copy(folder.path());
    let files = ["vision.onnx", "prompt.onnx", "text.onnx", "tokenizer.json", "negatives.vocab.safetensors"];
    for name in files.into_iter().chain(["features.safetensors", "classes.safetensors"]) {
        let file = model.join(name);
        let whole = fs::read(&file).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        fs::write(&file, changed).unwrap();
        refused(&[name, "found sha256", "expected sha256"]);
        fs::remove_file(&file).unwrap();
        refused(&[name, "no such file"]);
        fs::write(&file, whole).unwrap();
    }
    fs::write(model.join("model.toml"), "name = 3").unwrap();
    refused(&["model.toml"]);
}

#[test]
fn unusable_vocabularies_are_refused() {
    let folder = folder();
    let path = folder.path();
    let file = path.join("v.vocab.safetensors");
    let refused = |parts: &[&str]| {
        edgeclip(path, &["detect", "good.png", "--vocab", "v.vocab.safetensors"])
            .refuses(&[&["v.vocab.safetensors"], parts].concat());
    };
    refused(&["No such file", "edgeclip vocab build"]);
    fs::write(&file, "person, dog").unwrap();
    refused(&["11 bytes", "expected"]);

    edgeclip(path, &["vocab", "build", PROMPT[0], PROMPT[1], "--out", "v.vocab.safetensors", "--force"]).ok();
    let bytes = fs::read(&file).unwrap();
    let sha = edgeclip(path, &["vocab", "show", "v.vocab.safetensors", "--format", "json"]).ok().json()[0]["text_sha256"].clone();
    let sha = sha.as_str().unwrap();
    let at = bytes.windows(sha.len()).position(|window| window == sha.as_bytes()).unwrap();
    let mut other = bytes.clone();
    other[at..at + sha.len()].fill(b'0');
    fs::write(&file, other).unwrap();
    refused(&["000000000000", &sha[..12], "run `edgeclip vocab build` again"]);

    let mut broken = bytes;
    let last = broken.len() - 4;
    broken[last..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    fs::write(&file, broken).unwrap();
    refused(&["found", "expected"]);
}

#[test]
fn unusable_labels_of_vocab_build_are_refused() {
    let folder = folder();
    let build = |threshold: &str| {
        let out = ["--out", "v.vocab.safetensors", "--threshold", threshold];
        edgeclip(folder.path(), &[&["vocab", "build", PROMPT[0], PROMPT[1]], &out[..]].concat())
    };
    build("cow=0.5").refuses(&["\"cow\""]);
    build("dog=5").refuses(&["dog=5", "0 to 1"]);
    build("dog").refuses(&["LABEL=SCORE"]);
    assert!(!folder.path().join("v.vocab.safetensors").exists());
}

#[test]
fn unusable_targets_of_annotate_are_refused_before_any_work() {
    let folder = folder();
    let annotate = |target: &str, pictures: &[&str]| {
        let arguments = [&["detect", PROMPT[0], PROMPT[1], "--annotate", target], pictures].concat();
        let answer = edgeclip(folder.path(), &arguments);
        assert_eq!(answer.stdout, "");
        answer
    };
    let original = fs::read(folder.path().join("good.png")).unwrap();
    annotate("out.png", &["good.png", "good.png"]).refuses(&["out.png", "2 pictures", "folder"]);
    annotate("out.bmp", &["good.png"]).refuses(&["out.bmp", ".png"]);
    annotate("./good.png", &["good.png"]).refuses(&["good.png", "another file"]);
    annotate("good.png/out", &["good.png"]).refuses(&["good.png/out"]);
    assert_eq!(fs::read(folder.path().join("good.png")).unwrap(), original);
}

#[test]
fn unusable_boxes_are_refused() {
    let folder = folder();
    let embed = |json: &str| {
        fs::write(folder.path().join("boxes.json"), json).unwrap();
        edgeclip(folder.path(), &["embed", "good.png", "--boxes", "boxes.json", "--out", "e.safetensors"])
    };
    embed("[").refuses(&["boxes.json", "JSON object"]);
    embed(r#"{"good.png": [[0, 0, 9, 9], [9, 0, 3, 9]]}"#).refuses(&[
        "good.png, box 1",
        "[9, 0, 3, 9]",
        "40x30",
    ]);
    embed(r#"{"good.png": [[50, 0, 60, 9]]}"#).refuses(&["good.png, box 0", "inside 40x30"]);
    embed(r#"{"bad.png": [[0, 0, 9, 9]]}"#).refuses(&["boxes of bad.png"]);
    assert!(!folder.path().join("e.safetensors").exists());
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly() {
    let folder = folder();
    let mut arguments = vec!["detect", PROMPT[0], PROMPT[1], "--threshold", "0"];
    arguments.extend(["good.png"; 20]);
    let mut program = Command::new(env!("CARGO_BIN_EXE_edgeclip"))
        .args(arguments)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(program.stdout.take());
    let mut stderr = String::new();
    program.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((program.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}
