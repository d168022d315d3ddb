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
        "{\"cat\": 0, \"red dog\": 1}",
        "{\"names\": [\"cat\", \"red dog\"]}",
        "[{\"id\": 1, \"name\": \"cat\"}, {\"id\": 2, \"name\": \"red dog\"}]",
        "{\"info\": {}, \"categories\": [{\"id\": 1, \"name\": \"cat\"}, {\"name\": \"red dog\"}]}",
        "{0: cat, 1: red dog}",
        "cat\tred dog",
        "cat\t\tred dog\t",
        "cat\rred dog\r\n",
        "1. cat, 2. red dog",
        "1) cat\n2) red dog",
        "(1) cat, (2) red dog",
        "0: cat, 1: red dog",
        "- cat\n- red dog",
        "cat, and red dog",
        "cat, or red dog",
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
        "16:9 screen",
        "ice-cream",
        "AC/DC",
        "24/7 sign",
        "km/h sign",
        "R&D",
        "AT&T",
        "M&Ms",
        "salt & pepper",
        "C++ book",
        "t-shirt",
        "2 dogs",
        "rock and roll",
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
        "cat｜dog",
        "cat/dog",
        "cat / dog",
        "cat／dog",
        "TV/monitor",
        "猫/犬",
        "cat\\dog",
        "cat&dog",
        "cat && dog",
        "cat+dog",
        "cat:dog",
        "cat : dog",
        "猫：犬",
        "cat=dog=bird",
        "a = b = c",
        "cat>dog",
        "cat -> dog",
        "<cat> <dog>",
        "cat - dog",
        "cat – dog",
        "cat · dog",
        "猫・犬",
        "1. cat 2. dog",
        "1) cat 2) dog",
        "'cat' 'dog'",
        "7",
        "(cat:1.3)",
        "cat::2 dog",
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

#[test]
fn a_list_in_a_place_for_one_prompt_is_refused_with_what_to_type() {
    let refusal = |text: &str| only_item("prompt", text).unwrap_err().to_string();
    let expected = "prompt: found \"cat, dog\" in one item, expected a prompt in each item, [\"cat\", \"dog\"]; \
                    or quotes inside, '\"cat, dog\"'";
    assert_eq!(refusal("cat, dog"), expected);
    for text in ["cat;dog", "cat\ndog", "cat，dog", "pet = cat, dog"] {
        assert!(refusal(text).contains("in one item"), "{text}");
    }
    let one = |text: &str| only_item("prompt", text).unwrap();
    assert_eq!([one("\"red, white bus\""), one("cat,"), one("cat.")], ["red, white bus", "cat", "cat"]);
    // An array of one string that holds a list, as when the brackets were added around what was there.
    assert_eq!(list("[\"cat, red dog\"]"), ["cat", "red dog"]);
    assert_eq!(list("[\"red, white bus\", \"cat\"]"), ["red, white bus", "cat"]);
}

#[test]
fn what_may_be_one_thing_or_two_is_told() {
    for (text, list_of_two) in
        [("salt & pepper", "salt, pepper"), ("cat + dog & cow", "cat + dog, cow"), ("猫 ＆ 犬", "猫, 犬")]
    {
        assert_eq!(as_list(text).as_deref(), Some(list_of_two));
        assert_eq!(list(text), [text]);
    }
    assert!(["R&D", "C++ book", "rock and roll"].into_iter().all(|text| as_list(text).is_none()));
}
