use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};

use super::super::embeddings::Embeddings;
use super::super::words::tests::vocabulary;
use super::*;

fn sample() -> Vocabulary {
    let mut words = vocabulary(&[("cat", [1.0, 0.0]), ("Käfer \"1\"", [0.6, 0.8])], &[[0.0, -1.0]]);
    words.set_threshold("cat", 0.25).unwrap();
    words
}

/// The error of a file made from the sample by `change`.
fn error(change: impl Fn(&mut Vocabulary)) -> String {
    let mut words = sample();
    change(&mut words);
    Vocabulary::from_bytes("words", &words.to_bytes().unwrap()).unwrap_err().to_string()
}

/// A safetensors file with the given tensors and metadata.
fn raw(tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)], metadata: &[(&str, &str)]) -> Vec<u8> {
    let views =
        tensors.iter().map(|(n, t, shape, data)| (*n, TensorView::new(*t, shape.clone(), data).unwrap()));
    let metadata = metadata.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    serialize(views.collect::<Vec<_>>(), Some(metadata)).unwrap()
}

#[test]
fn what_is_written_is_read_back() {
    let words = sample();
    assert_eq!(Vocabulary::from_bytes("words", &words.to_bytes().unwrap()).unwrap(), words);
    let lonely = vocabulary(&[("cat", [1.0, 0.0])], &[]);
    assert_eq!(Vocabulary::from_bytes("words", &lonely.to_bytes().unwrap()).unwrap(), lonely);
}

#[test]
fn a_missing_file_is_named() {
    let message = Vocabulary::open(Path::new("/no/such.vocab.safetensors")).unwrap_err().to_string();
    assert!(message.starts_with("/no/such.vocab.safetensors: found No such file"), "{message}");
}

#[test]
fn what_is_no_safetensors_file_is_an_error() {
    let whole = sample().to_bytes().unwrap();
    for bytes in [&b""[..], b"names: cat, dog", &[0xff; 64], &whole[..whole.len() - 1], &whole[..20]] {
        let message = Vocabulary::from_bytes("words", bytes).unwrap_err().to_string();
        assert!(message.starts_with(&format!("words: found {} bytes", bytes.len())), "{message}");
        assert!(message.contains("expected a *.vocab.safetensors file"), "{message}");
    }
}

#[test]
fn another_format_is_an_error() {
    let message = |bytes: &[u8]| Vocabulary::from_bytes("words", bytes).unwrap_err().to_string();
    assert!(message(&raw(&[], &[("format", "edgeclip-vocab-9")])).contains(
        "found format \"edgeclip-vocab-9\", expected \"edgeclip-vocab-1\" or \"edgeclip-vocab-2\""
    ));
    assert!(message(&raw(&[], &[("made", "elsewhere")])).contains("found no format"));
    let metadata = [("format", FORMAT), ("names", "[1]"), ("prompts", "[]")];
    assert!(message(&raw(&[], &metadata)).contains("no list of names"));
    let metadata = [("format", FORMAT), ("names", "[]"), ("prompts", "[]"), ("text_sha256", "\u{1b}[2J")];
    assert!(message(&raw(&[], &metadata)).contains("text_sha256 \" [2J\", expected 64 hexadecimal"));
    let sha256 = "00ff".repeat(16);
    let metadata = [("format", FORMAT), ("names", "[]"), ("prompts", "[]"), ("text_sha256", &sha256)];
    assert!(message(&raw(&[], &metadata)).contains("no tensor embeddings"));
    let double = ("embeddings", Dtype::F64, vec![1, 1], vec![0; 8]);
    assert!(message(&raw(&[double], &metadata)).contains("embeddings of type F64, expected F32"));
    let flat = ("embeddings", Dtype::F32, vec![2], vec![0; 8]);
    assert!(
        message(&raw(&[flat], &metadata)).contains("embeddings of shape [2], expected [rows, dimension]")
    );
}

#[test]
fn rows_are_numbers_of_unit_length() {
    let replaced = |row: [f32; 2]| {
        move |w: &mut Vocabulary| w.texts.rows = Embeddings::from_data(2, [[1.0, 0.0], row].concat()).unwrap()
    };
    assert!(error(replaced([0.6, 0.9])).contains("embeddings row 1 of length 1.08"));
    assert!(
        error(replaced([f32::NAN, 0.8])).contains("embeddings row 1 of length NaN, expected unit length")
    );
    assert!(
        error(|w| w.negatives = Embeddings::from_data(2, vec![0.0; 2]).unwrap())
            .contains("negatives row 0 of length 0")
    );
    assert!(
        error(|w| w.negatives = Embeddings::from_data(1, vec![1.0]).unwrap())
            .contains("negatives of 1 values, expected 2")
    );
}

#[test]
fn names_prompts_thresholds_and_rows_belong_together() {
    let short = |w: &mut Vocabulary| {
        w.names.truncate(1);
        w.texts.entries = vec![0];
    };
    assert!(error(short).contains("found 1 names, expected 2, one per embedding"));
    assert!(error(|w| w.names[0] = "\x1b[2J".into()).contains("found the name \"\\u{1b}[2J\""));
    assert!(error(|w| w.names[1] = "".into()).contains("found the name \"\""));
    assert!(error(|w| w.texts.prompts.push("cow".into())).contains("found 3 prompts"));
    assert!(error(|w| w.entries.truncate(1)).contains("found 1 thresholds"));
    assert!(error(|w| w.entries[1].threshold = Some(1.5)).contains("a threshold of 1.5"));
    assert!(error(|w| *w = vocabulary(&[], &[])).contains("no embeddings"));
}

#[test]
fn a_file_without_end_is_not_read_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.vocab.safetensors");
    // A hole: no disk is used.
    std::fs::File::create(&path).unwrap().set_len(MOST_BYTES + 1).unwrap();
    let error = Vocabulary::open(&path).unwrap_err().to_string();
    assert!(error.contains("found a longer file than that, expected at most 128 MB, enough for"), "{error}");
}
