//! What `edgeclip run --history` keeps, and `edgeclip search` finds.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::tempdir;

use crate::common::film::{Studio, film};
use crate::common::live::Running;
use crate::common::{Answer, edgeclip};

fn search(folder: &Path, arguments: &[&str]) -> Answer {
    edgeclip(folder, &[&["search", "--history", "history", "--threads", "1"], arguments].concat())
}

/// The entries that a search prints.
fn found(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    search(folder, &[arguments, &["--format", "jsonl"]].concat()).json()
}

fn photo_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A cat and a cup of coffee go by, one after the other, under one name.
fn seen(folder: &Path) {
    for (name, photo) in [("cat.y4m", "cat.jpg"), ("cup.y4m", "coffee.jpg")] {
        film(folder, name, &Studio::with(photo).walk(12), 10);
        let flags = [
            "--source",
            name,
            "--prompt",
            "cat, cup",
            "--fps",
            "1000",
            "--history",
            "history",
            "--threshold",
            "0.2",
        ];
        let ended = Running::new(folder, &flags).end();
        assert_eq!(ended.code, Some(0), "{:?}", ended.errors);
    }
}

#[test]
fn what_was_seen_is_found_by_a_sentence_and_by_a_picture() {
    let place = tempdir().unwrap();
    let folder = place.path();
    search(folder, &["a cat"]).refuses(&["history: found no such folder", "edgeclip run --history"]);
    search(folder, &["--forget", "all"]).refuses(&["history: found no such folder"]);
    seen(folder);
    fs::copy(photo_of("cat.jpg"), folder.join("cat.jpg")).unwrap();
    let first = |arguments: &[&str]| found(folder, arguments).into_iter().next().unwrap();
    let cat = first(&["a cat lying on a sofa"]);
    assert_eq!((&cat["source"], &cat["label"]), (&"cat.y4m".into(), &"cat".into()));
    assert_eq!(first(&["a cup of coffee, seen from above"])["source"], "cup.y4m");
    assert_eq!(first(&["--picture", "cat.jpg"])["source"], "cat.y4m");
    let cup = found(folder, &["a cat", "--source", "cup.y4m"]);
    assert!(!cup.is_empty() && cup.iter().all(|line| line["source"] == "cup.y4m"), "{cup:?}");
    assert!(first(&["a cat"])["score"].as_f64() > cup[0]["score"].as_f64());
    assert!(found(folder, &["a cat", "--until", "2020-01-01"]).is_empty());
    assert_eq!(found(folder, &["a cat", "--count", "1", "--since", "1d"]).len(), 1);
    let text = search(folder, &["a cat", "--count", "1"]).ok().stdout;
    assert!(
        text.contains("cat.y4m: cat 0.") && text.trim_end().ends_with(cat["id"].as_str().unwrap()),
        "{text}"
    );
    // No pixels: an entry is a kilobyte.
    let bytes =
        fs::read_dir(folder.join("history")).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    assert!(bytes.sum::<u64>() < 40_000);
}

#[test]
fn what_is_forgotten_is_not_found_and_what_cannot_be_searched_is_refused() {
    let place = tempdir().unwrap();
    let folder = place.path();
    seen(folder);
    let id = found(folder, &["a cat"])[0]["id"].as_str().unwrap().to_owned();
    search(folder, &["--forget", &id]).ok();
    assert!(found(folder, &["a cat"]).iter().all(|line| line["id"] != id.as_str()));
    search(folder, &["--forget", &id]).refuses(&["--forget", &id]);
    search(folder, &["--forget", "yesterday"]).refuses(&["--forget", "yesterday", "2026-11-22"]);
    search(folder, &["a cat", "--since", "noon"]).refuses(&["--since", "noon", "yesterday"]);
    search(folder, &["a cat", "--since", "today", "--until", "2026-01-01"])
        .refuses(&["--until", "a later time"]);
    search(folder, &[]).refuses(&["TEXT"]);
    search(folder, &["--forget", "all"]).ok();
    search(folder, &["a cat"]).refuses(&["no history in this folder", "edgeclip run --history"]);
}
