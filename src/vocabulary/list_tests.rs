use super::*;

fn list(text: &str) -> Vec<String> {
    items("prompt", text).unwrap()
}

#[test]
fn lists_are_read_as_other_programs_write_them() {
    let notations = [
        "cat, red dog",
        "cat,red dog,",
        "cat;red dog",
        "cat ; red dog ;",
        "cat\nred dog\n",
        "cat，red dog",
        "[cat, red dog]",
        "[ cat,red dog ]",
        "(cat, red dog)",
        "{cat, red dog}",
        "[\"cat\", \"red dog\"]",
        "[[\"cat\", \"red dog\"]]",
        "['cat', 'red dog']",
        "[['cat', 'red dog']]",
        "('cat', 'red dog')",
        "'cat', 'red dog'",
        "\"cat\",\"red dog\"",
        "\"cat, red dog\"",
        "'cat, red dog'",
        "“cat”, „red dog“",
        "«cat», ‘red dog’",
        "`cat`, 「red dog」",
        "cat. red dog.",
        "cat. red dog .",
        "cat . red dog .",
        "cat . red dog",
        "cat, red dog.",
        "{\"0\": \"cat\", \"1\": \"red dog\"}",
    ];
    for text in notations {
        assert_eq!(list(text), ["cat", "red dog"], "{text}");
    }
}

/// Texts that take a stack frame for each bracket, or a pass over the rest for each quote, of a reader that is not careful.
#[test]
fn brackets_and_quotes_without_end_take_no_longer_than_others() {
    let deep = format!("{}cat{}", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(list(&deep), ["cat"]);
    let start = std::time::Instant::now();
    for open in ["'a,", "„a,", "\"a,", "» "] {
        let text = open.repeat(300_000);
        let _ = items("prompt", &text);
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn quotes_close_where_an_item_ends() {
    assert_eq!(list("'it's a cat', 'the dog's bone', o'clock"), ["it's a cat", "the dog's bone", "o'clock"]);
    assert_eq!(list("„a“, „b”, „c“"), ["a", "b", "c"]);
    assert_eq!(list("'a, 'b', c"), ["a, 'b", "c"]);
}

#[test]
fn punctuation_of_a_name_stays() {
    for name in [
        "men's shoes",
        "St. Bernard",
        "24\" monitor",
        "U.S. flag",
        "bat (animal)",
        "10:30 clock",
        "ice-cream",
    ] {
        assert_eq!(list(name), [name]);
        assert_eq!(list(&format!("{name}, cat")), [name, "cat"]);
        assert_eq!(list(&format!("cat, {name}")), ["cat", name]);
    }
    assert_eq!(list("\"red, white bus\", cat"), ["red, white bus", "cat"]);
    assert_eq!(list("\"a. b; c\", cat"), ["a. b; c", "cat"]);
    assert_eq!(list("pet = \"dog\", 'my cat' = cat"), ["pet = dog", "my cat = cat"]);
    assert_eq!(list("cat."), ["cat"]);
    assert!(list(" ,; ").is_empty() && list("[]").is_empty());
}

#[test]
fn other_notations_are_refused() {
    for text in [
        "cat|dog",
        "[cat, dog",
        "cat, dog]",
        "pet: dog",
        "pet => dog",
        "{\"pet\": \"dog\"}",
        "cat. dog",
        "\"cat",
        "cat\", dog",
        "“cat, dog",
    ] {
        let error = items("prompt", text).unwrap_err().to_string();
        assert!(error.contains("expected commas between prompts"), "{text}: {error}");
    }
}
