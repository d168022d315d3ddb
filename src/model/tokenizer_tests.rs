use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// A small one: the default bundle's with some of its words.
fn small() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default/tokenizer.json");
    let mut whole: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "dog", "##s"];
    let words = words.iter().enumerate().map(|(id, word)| ((*word).to_owned(), json!(id)));
    whole["model"]["vocab"] = Value::Object(words.collect());
    whole
}

fn loaded(file: &Value) -> Result<Checked> {
    load("tokenizer.json", file.to_string().as_bytes())
}

fn ids(checked: &Checked, text: &str) -> Vec<u32> {
    checked.tokenizer.encode_fast(text, true).unwrap().get_ids().to_vec()
}

#[test]
fn a_bert_tokenizer_gives_words_between_its_tokens() {
    let checked = loaded(&small()).unwrap();
    assert_eq!((checked.unknown, checked.largest), (1, 8));
    assert_eq!(ids(&checked, "A RÉD dogs, [MASK]"), [2, 5, 6, 7, 8, 1, 4, 3]);
}

#[test]
fn the_default_one_gives_what_the_library_gives() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/default/tokenizer.json");
    let bytes = fs::read(path).unwrap();
    let checked = load("tokenizer.json", &bytes).unwrap();
    let mut expected = Tokenizer::from_bytes(&bytes).unwrap();
    expected.with_truncation(None).unwrap();
    expected.with_padding(None);
    for text in
        ["a photo of a red dog", "ÀÉÎ ñandú 甲虫!", "[CLS] tail-less [MASK]s \u{0}\u{7f}x", "straße🐞 ﬁ", ""]
    {
        assert_eq!(ids(&checked, text), expected.encode_fast(text, true).unwrap().get_ids(), "{text}");
    }
}

#[test]
fn parts_that_the_format_does_not_promise_are_refused() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 17] = [
        (
            |t| t["normalizer"] = json!({ "type": "Precompiled", "precompiled_charsmap": "AAAA" }),
            "a tokenizer of Bert",
        ),
        (|t| t["normalizer"] = json!({ "type": "Prepend", "prepend": "x" }), "a tokenizer of Bert"),
        (
            |t| {
                t["normalizer"] =
                    json!({ "type": "Replace", "pattern": { "String": "a" }, "content": "aaaa" })
            },
            "a tokenizer of Bert",
        ),
        (|t| t["normalizer"] = json!({ "type": "Sequence", "normalizers": [] }), "a tokenizer of Bert"),
        (|t| t["normalizer"] = Value::Null, "a tokenizer of Bert"),
        (
            |t| {
                t["pre_tokenizer"] =
                    json!({ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true })
            },
            "a tokenizer of Bert",
        ),
        (|t| t["model"]["type"] = json!("BPE"), "a tokenizer of Bert"),
        (|t| t["model"]["unk_token"] = json!("[NOTHING]"), "found no word [NOTHING]"),
        (|t| t["model"]["max_input_chars_per_word"] = json!(1_000_000_000), "words of up to 1000000000"),
        (|t| t["model"]["vocab"]["cat"] = json!(-1), "a tokenizer of Bert"),
        (
            |t| t["post_processor"]["single"][0] = json!({ "SpecialToken": { "id": "[NO]", "type_id": 0 } }),
            "the token [NO]",
        ),
        (
            |t| t["post_processor"]["pair"][0] = json!({ "SpecialToken": { "id": "[NO]", "type_id": 0 } }),
            "the token [NO]",
        ),
        (|t| t["post_processor"]["single"] = json!([]), "without the text"),
        (|t| t["post_processor"]["single"][1]["Sequence"]["id"] = json!("B"), "without the text"),
        (|t| t["post_processor"]["special_tokens"]["[CLS]"]["ids"] = json!([2, 2]), "2 ids of 1 tokens"),
        (|t| t["added_tokens"][0]["id"] = json!(7), "the added token \"[PAD]\" of id 7"),
        (|t| t["added_tokens"][0]["content"] = json!(""), "the added token"),
    ];
    for (change, part) in changes {
        let mut file = small();
        change(&mut file);
        let error = loaded(&file).unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains(part), "{part}: {error}");
    }
}

#[test]
fn ids_of_any_token_count() {
    let mut file = small();
    file["post_processor"]["special_tokens"]["[CLS]"]["ids"] = json!([70_000]);
    assert_eq!(loaded(&file).unwrap().largest, 70_000);
    file["model"]["vocab"]["cat"] = json!(4_000_000_000u32);
    assert_eq!(loaded(&file).unwrap().largest, 4_000_000_000);
}
