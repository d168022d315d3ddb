//! Command lines in documentation, taken apart.

/// The simple commands of a line: words between `|`, `&&`, `;` and redirections, without comments.
pub(crate) fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let (mut word, mut quote, mut begun) = (String::new(), None, false);
    let mut redirected = false;
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, '#') if !begun => break,
            (None, '|' | '&' | ';' | '>' | '<' | ' ') => {
                if begun && !std::mem::take(&mut redirected) {
                    commands.last_mut().unwrap().push(std::mem::take(&mut word));
                }
                word.clear();
                begun = false;
                match c {
                    '|' | '&' | ';' => commands.push(Vec::new()),
                    '>' | '<' => redirected = true,
                    _ => {}
                }
            }
            (None, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    commands.retain(|words| !words.is_empty());
    commands
}

/// The command lines of a block: those behind `$ ` in a console, else all. A line that ends in `\` goes on.
pub(crate) fn lines(language: &str, text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let start = if language == "console" { line.strip_prefix("$ ") } else { Some(line) };
        let piece = if goes_on { Some(line) } else { start };
        let Some(piece) = piece else { continue };
        let whole = piece.strip_suffix('\\');
        if goes_on {
            lines.last_mut().unwrap().push_str(whole.unwrap_or(piece));
        } else {
            lines.push(whole.unwrap_or(piece).to_owned());
        }
        goes_on = whole.is_some();
    }
    lines
}

#[test]
fn a_pipe_is_two_commands_and_quotes_hold_words_together() {
    let line = r#"rpicam-vid -o - | edgeclip run --prompt "person, dog" --source 'a b' > out.txt # watch"#;
    let expected: [&[&str]; 2] =
        [&["rpicam-vid", "-o", "-"], &["edgeclip", "run", "--prompt", "person, dog", "--source", "a b"]];
    assert_eq!(commands(line), expected);
}

#[test]
fn a_console_has_output_between_commands_and_long_commands_have_two_lines() {
    let text = "$ first \\\n    --flag\noutput\n$ second\n";
    assert_eq!(lines("console", text), ["first     --flag", "second"]);
    assert_eq!(lines("sh", "first\nsecond\n"), ["first", "second"]);
}
