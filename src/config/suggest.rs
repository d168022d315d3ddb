//! Messages of the deserialiser in the form of our own errors, with the name that was probably meant.

/// How similar a known name must be to be suggested, 0 to 1 (Jaro-Winkler).
const ALIKE: f64 = 0.75;

/// What was found and what was expected.
pub(crate) fn with_suggestion(message: &str) -> (String, String) {
    let message = message.trim_end_matches('\n').lines().next().unwrap_or("");
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (Some(rest), Some((unknown, known))) = (message.strip_prefix("unknown "), quoted.split_first())
    else {
        let (found, expected) = message.split_once(", expected ").unwrap_or((message, "something else"));
        return (found.to_owned(), expected.to_owned());
    };
    let what = if rest.starts_with("variant") { "value" } else { "key" };
    let alike = |name: &&&str| (strsim::jaro_winkler(unknown, name) * 1e6) as u64;
    let nearest = known.iter().max_by_key(alike).filter(|name| strsim::jaro_winkler(unknown, name) >= ALIKE);
    let all = known.join(", ");
    let expected = nearest.map_or_else(|| format!("one of {all}"), |name| format!("{name}, or one of {all}"));
    (format!("the unknown {what} {unknown}"), expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        let (found, expected) =
            with_suggestion("unknown field `promt`, expected one of `fps`, `prompt`, `vocab`");
        assert_eq!(
            (found.as_str(), expected.as_str()),
            ("the unknown key promt", "prompt, or one of fps, prompt, vocab")
        );
        let (_, expected) = with_suggestion("unknown field `xyz`, expected one of `fps`, `prompt`");
        assert_eq!(expected, "one of fps, prompt");
        let (found, _) = with_suggestion("unknown variant `jsn`, expected `jsonl` or `csv`");
        assert_eq!(found, "the unknown value jsn");
    }

    #[test]
    fn other_messages_are_split_where_they_can_be() {
        let (found, expected) = with_suggestion("invalid type: string \"x\", expected f32\n");
        assert_eq!((found.as_str(), expected.as_str()), ("invalid type: string \"x\"", "f32"));
    }
}
