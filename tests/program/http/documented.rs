//! The examples of docs/http.md.

use std::fs;
use std::io::Read;
use std::path::Path;

use tempfile::tempdir;

use super::client::{Answer, Board};

/// Words of a command, quoted or not.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// What `curl` would do.
fn curl(board: &Board, line: &str) -> Answer {
    let (mut method, mut lines, mut body, mut path, mut follows) =
        ("GET".to_owned(), String::new(), Vec::new(), String::new(), false);
    let all = words(line);
    let mut words = all.iter().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap().clone();
        match word.as_str() {
            "-s" => {}
            "-sN" => follows = true,
            "-o" => drop(value()),
            "-X" => method = value(),
            "-H" => lines = format!("{lines}{}\r\n", value()),
            "-d" => body = value().into_bytes(),
            url => {
                path =
                    url.strip_prefix("http://127.0.0.1:8080").unwrap_or_else(|| panic!("{line}")).to_owned()
            }
        }
    }
    if !follows {
        return board.ask(&method, &path, &lines, &body);
    }
    let mut stream = board.send(&method, &path, &lines, &body);
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    let status = String::from_utf8_lossy(&head)[9..].parse().unwrap();
    Answer { status, head: String::new(), body: Vec::new() }
}

#[test]
fn every_example_works_as_it_is_written() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/http.md")).unwrap();
    let folder = tempdir().unwrap();
    let board = Board::start(folder.path(), "pictures = true\n", &[]);
    board.ready();
    let examples: Vec<&str> = page.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(examples.len() > 5);
    for line in examples {
        let answer = curl(&board, line);
        assert!(matches!(answer.status, 200 | 204), "{line}: {answer:?}");
    }
}
