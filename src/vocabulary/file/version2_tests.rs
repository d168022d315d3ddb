use super::super::examples::{Example, Examples, Origin};
use super::super::words::tests::vocabulary;
use super::*;
use crate::model::{FeatureVector, SpaceId};
use crate::vocabulary::entry::Kind;

/// Two entries with words, of which the second has an example and a counter-example as well, and a third with an
/// example alone.
fn sample() -> Vocabulary {
    let mut words = vocabulary(&[("cat", [1.0, 0.0]), ("Käfer", [0.6, 0.8])], &[[0.0, -1.0]]);
    words.names.push("our van".into());
    words.entries.push(Default::default());
    words.entries[0].hidden = true;
    words.entries[1].threshold = Some(0.25);
    words.entries[2].kind = Kind::Tag;
    let hash = |digit: &str| digit.repeat(64);
    let example = |entry, counter, values: [f32; 3], rect| Example {
        entry,
        counter,
        vector: FeatureVector::quantised(&values).unwrap(),
        origin: Origin {
            id: "0a".into(),
            file: "van \"1\".jpg".into(),
            sha256: hash("a"),
            rect,
            date: "2026-11-30".into(),
        },
    };
    words.examples = Some(Examples {
        space: SpaceId { vision_sha256: hash("b"), prompt_sha256: hash("d"), features_sha256: hash("c") },
        rows: vec![
            example(1, false, [1.0, 2.0, -3.0], None),
            example(1, true, [0.0, 0.0, 1.0], Some([1.0, 2.0, 30.5, 40.0])),
            example(2, false, [-1.0, 0.5, 0.0], None),
        ],
    });
    words.embeddings = words.texts.combined(3);
    words
}

/// A way to break a file.
type Change = fn(&mut Vocabulary);

fn error(change: impl Fn(&mut Vocabulary)) -> String {
    let mut words = sample();
    change(&mut words);
    Vocabulary::from_bytes("words", &words.to_bytes().unwrap()).unwrap_err().to_string()
}

fn first(words: &mut Vocabulary) -> &mut Example {
    &mut words.examples.as_mut().unwrap().rows[0]
}

#[test]
fn what_is_written_is_read_back_and_only_what_needs_it_is_of_version_2() {
    let words = sample();
    let bytes = words.to_bytes().unwrap();
    let again = Vocabulary::from_bytes("words", &bytes).unwrap();
    assert_eq!(again, words);
    assert_eq!(again.embeddings.data(), [1.0, 0.0, 0.6, 0.8, 0.0, 0.0]);
    let is = |bytes: &[u8], format: &str| bytes.windows(format.len()).any(|part| part == format.as_bytes());
    assert!(is(&bytes, FORMAT_2) && !is(&bytes, FORMAT));
    let plain = vocabulary(&[("cat", [1.0, 0.0])], &[]);
    assert!(is(&plain.to_bytes().unwrap(), FORMAT));
}

#[test]
fn words_may_be_missing_altogether() {
    let mut words = sample();
    words.names.drain(..2);
    words.entries.drain(..2);
    words.texts = words.texts.moved(|_| None);
    words.examples = words.examples.unwrap().moved(|entry| entry.checked_sub(2));
    words.embeddings = words.texts.combined(1);
    assert_eq!(Vocabulary::from_bytes("words", &words.to_bytes().unwrap()).unwrap(), words);
}

#[test]
fn what_does_not_belong_together_is_an_error() {
    let cases: [(Change, &str); 13] = [
        (|w| w.names[1] = "cat".into(), "found the name \"cat\" twice"),
        (|w| w.names.truncate(2), "found 3 kinds, expected 2, one per name"),
        (|w| w.texts.entries[0] = 9, "word_entry with 9, expected the place of an entry, 0 to 2"),
        (|w| w.texts.prompts.truncate(1), "found 1 prompts, expected 2, one per embedding"),
        (|w| first(w).entry = 3, "example_entry with 3"),
        (|w| first(w).vector.scale = 3.0, "an example of length"),
        (|w| first(w).vector.values[0] = i8::MIN, "-127 to 127"),
        (|w| first(w).origin.id = "../x".into(), "the origin"),
        (|w| first(w).origin.sha256 = "12".into(), "the origin"),
        (|w| first(w).origin.file = "a\u{1b}[2J".into(), "the origin"),
        (|w| first(w).origin.rect = Some([f32::NAN; 4]), "no list of origins"),
        (|w| w.examples.as_mut().unwrap().space.vision_sha256.clear(), "vision_sha256 \"\""),
        (|w| w.examples.as_mut().unwrap().rows.truncate(2), "neither words nor examples of \"our van\""),
    ];
    for (change, part) in cases {
        let message = error(change);
        assert!(message.starts_with("words: found ") && message.contains(part), "{part}: {message}");
    }
}
