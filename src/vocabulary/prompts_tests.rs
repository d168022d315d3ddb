use super::*;

fn pairs(argument: &str) -> Vec<(String, String)> {
    Prompt::parse(argument).unwrap().into_iter().map(|p| (p.name, p.text)).collect()
}

fn names(argument: &str) -> Vec<String> {
    Prompt::parse(argument).unwrap().into_iter().map(|p| p.name).collect()
}

fn error(argument: &str) -> String {
    Prompt::parse(argument).unwrap_err().to_string()
}

/// A file in a folder of its own, both removed when the value goes out of scope.
struct TextFile {
    folder: tempfile::TempDir,
    name: &'static str,
}

impl TextFile {
    fn new(name: &'static str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), content).unwrap();
        Self { folder, name }
    }

    fn argument(&self) -> String {
        format!("@{}", self.folder.path().join(self.name).display())
    }
}

#[test]
fn a_list_is_split_at_commas_and_trimmed() {
    assert_eq!(names(" person,dog ,  red   bus,, "), ["person", "dog", "red bus"]);
}

#[test]
fn a_name_may_differ_from_its_prompt() {
    let expected =
        [("guest".to_owned(), "a person = a stranger".to_owned()), ("cat".to_owned(), "cat".to_owned())];
    assert_eq!(pairs("guest ='a person = a stranger', cat"), expected);
}

#[test]
fn the_first_of_equal_prompts_stays() {
    assert_eq!(names("Dog, cat, dog, Cat, DOG"), ["Dog", "cat"]);
    assert_eq!(names("pet = dog, pet = Dog"), ["pet"]);
}

#[test]
fn names_and_prompts_belong_together() {
    assert!(error("pet = dog, pet = cat").contains("a second prompt for the name \"pet\""));
    assert!(error("dog, pet = dog").contains("a second name for the prompt \"dog\""));
}

#[test]
fn nothing_to_look_for_is_an_error() {
    for argument in ["", " ", ",, ,", "\n"] {
        assert!(error(argument).contains("found no prompt, expected at least one"), "{argument:?}");
    }
    assert!(error("a, = dog").contains("\"= dog\""));
    assert!(error("pet =").contains("NAME = PROMPT"));
    assert!(error("@").contains("@ without a file name"));
}

#[test]
fn too_long_a_prompt_is_named_in_short() {
    let longest = "ä".repeat(MAX_CHARACTERS);
    assert_eq!(names(&longest), std::slice::from_ref(&longest));
    let message = error(&format!("dog, {longest}b"));
    assert!(message.contains("found 501 characters in \"ääää"), "{message}");
    assert!(message.contains("at most 500") && message.len() < 250, "{message}");
    assert!(error(&format!("{longest}b = dog")).contains("501"));
}

#[test]
fn a_file_holds_one_prompt_a_line() {
    let file = TextFile::new(
        "lines",
        "\u{feff}# things\r\nred, white bus\r\n\n  dog # not a comment\n  # one\npet = cat",
    );
    let expected = [
        ("red, white bus", "red, white bus"),
        ("dog # not a comment", "dog # not a comment"),
        ("pet", "cat"),
    ];
    assert_eq!(pairs(&file.argument()), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn files_of_other_programs_are_read_as_lists() {
    for content in [
        "cat\nred dog\n",
        "- cat\n- red dog\n",
        "1. cat\n2. red dog\n",
        "0: cat\n1: red dog\n",
        "0,cat\n1,red dog\n",
        "0\tcat\n1\tred dog\n",
        "0 cat\n1 red dog\n",
        "cat,red dog\n",
        "cat\tred dog",
        "[\n  \"cat\",\n  \"red dog\"\n]\n",
        "{\"id2label\": 0, \"names\": {\"0\": \"cat\", \"1\": \"red dog\"}}",
        "path: x\nnames:\n  0: cat\n  1: red dog # two\nnc: 2\n",
        "nc: 2\nnames: ['cat', 'red dog']\n",
        "names: [cat,\n  red dog]\nnc: 2\n",
        "names:\n- cat\n- \"red dog\"\n",
    ] {
        let file = TextFile::new("names", content);
        assert_eq!(names(&file.argument()), ["cat", "red dog"], "{content}");
    }
    for content in [
        "id,name\n0,cat\n1,dog\n",
        "cat,dog\nbird,cow\n",
        "cat,0\ndog,1\n",
        "cat\tpet\ndog\tpet\n",
        "cat, 0\ndog, 1\n",
    ] {
        let file = TextFile::new("columns", content);
        let told = error(&file.argument());
        assert!(
            told.contains("columns line 1: found \"") && told.contains("expected one prompt per line"),
            "{told}"
        );
    }
    let file = TextFile::new("prices", "red, white bus\n1,000 dollar bill\n\"a,b\"\n");
    assert_eq!(names(&file.argument()), ["red, white bus", "1,000 dollar bill", "a,b"]);
}

#[test]
fn errors_in_a_file_name_the_line() {
    let file = TextFile::new("bad-line", "dog\n\ncat =\n");
    assert!(error(&file.argument()).contains("bad-line line 3: found \"cat =\""));
    let file = TextFile::new("latin1", b"dog\ncaf\xe9\n");
    assert!(error(&file.argument()).contains("not UTF-8 at offset 7"));
    let file = TextFile::new("comments", "# nothing\n");
    assert!(error(&file.argument()).contains("comments: found no prompt"));
    assert!(error("@/no/such/file").starts_with("/no/such/file: "));
}

#[test]
fn many_prompts_are_fine_up_to_a_limit() {
    let many = |count: usize| (0..count).map(|i| format!("thing {i}")).collect::<Vec<_>>().join(",");
    assert_eq!(names(&many(MAX_PROMPTS)).len(), MAX_PROMPTS);
    assert!(error(&many(MAX_PROMPTS + 1)).contains("expected at most 20000"));
}
