use super::super::words::tests::vocabulary;
use super::*;

fn space() -> SpaceId {
    SpaceId { vision_sha256: "a".repeat(64), prompt_sha256: "e".repeat(64), features_sha256: "b".repeat(64) }
}

fn origin(id: &str) -> Origin {
    let file = format!("{id}.jpg");
    Origin { id: id.into(), file, sha256: "c".repeat(64), rect: None, date: "2026-11-30".into() }
}

fn vector() -> FeatureVector {
    FeatureVector::quantised(&[3.0, -4.0]).unwrap()
}

fn add(words: &mut Vocabulary, label: usize, counter: bool, id: &str) -> Result<Added> {
    words.add_example(label, counter, vector(), &space(), origin(id))
}

fn ids(words: &Vocabulary) -> Vec<(usize, bool, &str)> {
    let rows = words.examples().map_or(&[][..], |examples| &examples.rows);
    rows.iter().map(|row| (row.entry, row.counter, row.origin.id.as_str())).collect()
}

#[test]
fn names_come_with_words_and_examples_and_go_with_them() {
    let bank = vocabulary(&[("east", [1.0, 0.0]), ("up", [0.6, 0.8]), ("north", [0.0, 1.0])], &[]);
    let mut words = Vocabulary::empty(&bank);
    assert_eq!((words.len(), words.negatives().len()), (0, 3));
    let van = words.ensure("our van").unwrap();
    assert!(words.is_bare(van));
    assert_eq!(add(&mut words, van, false, "1").unwrap(), Added::New);
    let cat = words.ensure("cat").unwrap();
    words
        .add_words(cat, &[("a cat".into(), vec![1.0, 0.0]), ("kitten".into(), vec![0.6, 0.8])], &bank, 0.9)
        .unwrap();
    // "east" and "up" are words now; those that are there already are not added twice.
    assert_eq!(words.negatives().data(), [0.0, 1.0]);
    words.add_words(cat, &[("A cat".into(), vec![1.0, 0.0])], &bank, 0.9).unwrap();
    assert_eq!(words.prompts_of(cat).collect::<Vec<_>>(), ["a cat", "kitten"]);
    let error =
        words.add_words(van, &[("kitten".into(), vec![0.6, 0.8])], &bank, 0.9).unwrap_err().to_string();
    assert!(error.contains("which are words of \"cat\""), "{error}");
    words.remove(van);
    assert_eq!((words.names(), words.examples()), (&["cat".into()][..], None));
    assert_eq!(words.prompts_of(0).count(), 2);
}

#[test]
fn a_picture_is_an_example_once_and_of_one_name() {
    let mut words = vocabulary(&[("cat", [1.0, 0.0]), ("dog", [0.0, 1.0])], &[]);
    assert_eq!(add(&mut words, 0, false, "1").unwrap(), Added::New);
    assert_eq!(add(&mut words, 0, false, "1").unwrap(), Added::Known);
    let error = add(&mut words, 1, false, "1").unwrap_err().to_string();
    assert!(error.starts_with("1.jpg: found an example of \"cat\", expected one meaning"), "{error}");
    assert!(add(&mut words, 0, true, "1").is_err());
    assert_eq!(add(&mut words, 1, true, "1").unwrap(), Added::New);
    assert_eq!(words.remove_example("1"), 2);
    assert_eq!(words.examples(), None);
}

#[test]
fn examples_of_another_space_and_too_many_are_refused() {
    let mut words = vocabulary(&[("cat", [1.0, 0.0])], &[]);
    add(&mut words, 0, false, "1").unwrap();
    let other = SpaceId { vision_sha256: "d".repeat(64), ..space() };
    let error = words.add_example(0, false, vector(), &other, origin("2")).unwrap_err().to_string();
    assert!(
        error.contains("aaaaaaaa-eeeeeeee-bbbbbbbb") && error.contains("dddddddd-eeeeeeee-bbbbbbbb"),
        "{error}"
    );
    let one = words.examples.as_ref().unwrap().rows[0].clone();
    words.examples.as_mut().unwrap().rows = vec![one; MOST_OF_ENTRY];
    let error = add(&mut words, 0, false, "3").unwrap_err().to_string();
    assert!(error.contains("found more examples, expected at most 1000 of a name"), "{error}");
}

#[test]
fn names_are_checked_renamed_and_merged() {
    let mut words = vocabulary(&[("cat", [1.0, 0.0]), ("dog", [0.0, 1.0]), ("pet", [0.6, 0.8])], &[]);
    for bad in ["", " cat", "a\u{1b}[2J", &"x".repeat(501)] {
        assert!(words.ensure(bad).unwrap_err().to_string().contains("printable characters"), "{bad:?}");
    }
    assert!(words.rename(0, "dog").unwrap_err().to_string().contains("vocab merge"));
    words.rename(0, "puss").unwrap();
    for (label, counter, id) in
        [(0, false, "1"), (2, true, "1"), (2, false, "2"), (1, true, "2"), (0, true, "3")]
    {
        add(&mut words, label, counter, id).unwrap();
    }
    words.merge(0, 2);
    assert_eq!(words.names(), ["dog".into(), "pet".into()]);
    assert_eq!(words.prompts_of(1).collect::<Vec<_>>(), ["a cat", "a pet"]);
    assert_eq!(ids(&words), [(1, false, "1"), (1, false, "2"), (0, true, "2"), (1, true, "3")]);
}
