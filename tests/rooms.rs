//! Holds the tables "Rooms of `src/`" and "Parts of `crates/engine`" of `docs/architecture.md`: which room may import which.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Room → rooms that it may import.
type Table = BTreeMap<String, BTreeSet<String>>;

/// Crates that only one room may use; tract is for `crates/engine` alone.
const SOLE_IMPORTERS: [(&str, &str); 7] = [
    ("tract_", "none"),
    ("embedded_graphics", "sinks"),
    ("v4l::", "source"),
    ("retina::", "source"),
    ("openh264::", "source"),
    ("jpeg_decoder::", "source"),
    ("landlock::", "system"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Words in backticks, without `.rs` and `/`.
fn rooms_of(cell: &str) -> Vec<String> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.map(|name| name.trim_end_matches('/').trim_end_matches(".rs").to_owned()).collect()
}

/// Reads the table under `heading`: `| rooms | holds | may import |`.
fn table(document: &str, heading: &str) -> Table {
    let section = document.split(heading).nth(1).expect("a section on rooms").split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let mut table = Table::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (rooms, imports) = (rooms_of(cells[1]), cells[3]);
        let above: BTreeSet<String> = table.keys().cloned().collect();
        for room in rooms {
            let allowed = match imports {
                "–" => BTreeSet::new(),
                "all" | "all the types above" => above.clone(),
                names => names.split(',').map(|name| name.trim().to_owned()).collect(),
            };
            assert!(allowed.is_subset(&above), "{room} imports {allowed:?}, not all of which are above it");
            table.insert(room, allowed);
        }
    }
    table
}

/// `src/detect/nms.rs` → `detect`.
fn room_of(file: &Path) -> String {
    let first = file.components().next().unwrap().as_os_str().to_str().unwrap();
    let stem = first.trim_end_matches(".rs");
    stem.trim_end_matches("_tests").to_owned()
}

/// The code without `//` comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// The names that directly follow `prefix` in paths; all of them where braces follow.
fn names_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let identifier =
        |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        let Some(inside) = rest.strip_prefix('{') else {
            names.insert(identifier(rest));
            continue;
        };
        let mut depth = 0;
        let mut item = String::new();
        for c in inside.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    names.insert(identifier(item.trim()));
                    item.clear();
                }
                c if depth == 0 => item.push(c),
                _ => {}
            }
        }
        names.insert(identifier(item.trim()));
    }
    names.retain(|name| !name.is_empty());
    names
}

/// What `text`, the content of `file` (relative to `src/`), imports against the table.
fn violations(table: &Table, soles: &[(&str, &str)], file: &Path, text: &str) -> Vec<String> {
    let room = room_of(file);
    if room == "lib" || room == "main" {
        return Vec::new();
    }
    let Some(allowed) = table.get(&room) else { return vec![format!("{room} is not in the table")] };
    let code = code(text);
    let mut imported = names_after(&code, "crate::");
    // `super::super::` can leave a room, too.
    let depth = file.components().count();
    for supers in depth..depth + 2 {
        imported.extend(
            names_after(&code, &"super::".repeat(supers)).into_iter().filter(|name| table.contains_key(name)),
        );
    }
    let mut found: Vec<String> = imported
        .into_iter()
        .filter(|name| *name != room && !allowed.contains(name))
        .map(|name| format!("{room} imports {name}"))
        .collect();
    for &(name, sole) in soles {
        // `from_abstract_name` is no use of tract.
        let whole = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if room != sole && code.match_indices(name).any(|(at, _)| whole(at)) {
            found.push(format!("{room} uses {name}"));
        }
    }
    found
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn documented(heading: &str) -> Table {
    table(&fs::read_to_string(root().join("docs/architecture.md")).unwrap(), heading)
}

fn rooms() -> Table {
    documented("## Rooms of")
}

/// What the files of `folder` import against the table.
fn found_in(folder: &str, table: &Table, soles: &[(&str, &str)]) -> Vec<String> {
    let (src, mut files) = (root().join(folder), Vec::new());
    sources(&src, &mut files);
    assert!(files.len() > 20, "only {} files in {}", files.len(), src.display());
    let of = |path: &PathBuf| {
        let file = path.strip_prefix(&src).unwrap().to_owned();
        let found = violations(table, soles, &file, &fs::read_to_string(path).unwrap());
        found.into_iter().map(move |what| format!("{}: {what}", file.display()))
    };
    files.iter().flat_map(of).collect()
}

#[test]
fn the_table_lists_the_rooms_in_their_order() {
    let table = rooms();
    let rooms = [
        "error",
        "geometry",
        "frame",
        "system",
        "source",
        "preprocess",
        "model",
        "detect",
        "vocabulary",
        "track",
        "events",
        "privacy",
        "report",
        "config",
    ];
    for room in rooms.iter().chain(&["sinks", "pipeline", "detector", "watcher", "cli"]) {
        assert!(table.contains_key(*room), "{room} is missing");
    }
    assert!(table["error"].is_empty());
    assert_eq!(table["detect"], ["error", "geometry", "model"].map(str::to_owned).into());
    assert_eq!(table["sinks"], rooms.map(str::to_owned).into());
    assert!(["pipeline", "detector", "watcher"].iter().all(|room| table["cli"].contains(*room)));
    assert!(!table["pipeline"].contains("detector"));
}

#[test]
fn every_file_keeps_to_the_table() {
    let found = found_in("src", &rooms(), &SOLE_IMPORTERS);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_part_of_the_engine_keeps_to_its_table() {
    let parts = documented("## Parts of `crates/engine`");
    assert!(parts.contains_key("lower") && parts["lower"].contains("steps"), "{parts:?}");
    // Tests may look at anything.
    let found = found_in("crates/engine/src", &parts, &[]);
    let found: Vec<String> = found.into_iter().filter(|what| !what.contains("tests.rs: ")).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn forbidden_imports_are_found() {
    let table = rooms();
    let found = |file: &str, text: &str| violations(&table, &SOLE_IMPORTERS, Path::new(file), text);
    assert_eq!(found("detect/nms.rs", "use crate::vocabulary::Tag;"), ["detect imports vocabulary"]);
    assert_eq!(found("detect/nms.rs", "fn f() { crate::sinks::g() }"), ["detect imports sinks"]);
    assert_eq!(
        found("detect/mod.rs", "use crate::{\n  geometry::{Rect, iou},\n  cli,\n source::Picture};"),
        ["detect imports cli", "detect imports source"]
    );
    assert_eq!(found("detect/nms.rs", "use super::super::sinks::annotate;"), ["detect imports sinks"]);
    assert_eq!(found("detect/nms.rs", "use super::super::super::pipeline;"), ["detect imports pipeline"]);
    assert_eq!(found("geometry.rs", "use crate::frame::Frame;"), ["geometry imports frame"]);
    assert_eq!(found("pipeline.rs", "use crate::cli;"), ["pipeline imports cli"]);
    assert_eq!(found("cli/x.rs", "use tract_onnx::prelude::*;"), ["cli uses tract_"]);
    assert_eq!(found("cli/x.rs", "use embedded_graphics::prelude::*;"), ["cli uses embedded_graphics"]);
    assert_eq!(found("cli/x.rs", "use v4l::Device;"), ["cli uses v4l::"]);
    assert_eq!(found("extra/x.rs", ""), ["extra is not in the table"]);
}

#[test]
fn allowed_imports_pass() {
    let table = rooms();
    let found = |file: &str, text: &str| violations(&table, &SOLE_IMPORTERS, Path::new(file), text);
    assert!(found("detect/nms.rs", "use crate::geometry::Rect; use crate::detect::x;").is_empty());
    assert!(found("detect/nms.rs", "// use crate::cli;\n/// see [`crate::sinks`]\n").is_empty());
    assert!(
        found("sinks/annotate/mod.rs", "use super::{model, Report}; use embedded_graphics::x;").is_empty()
    );
    assert!(found("model/x.rs", "use edgeclip_engine::Engine; use super::output;").is_empty());
}

/// `Cargo.toml` compiles for size what it does not name, and without inlining between a crate's units. The program has many, so its
/// inner loops are in the crates.
#[test]
fn the_release_profile_names_every_crate_that_computes() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut crates = vec![];
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path().join("Cargo.toml")).unwrap();
        let name =
            text.lines().find_map(|line| line.strip_prefix("name = ")).expect("a name").trim_matches('"');
        crates.extend(name.starts_with("edgeclip").then(|| name.to_owned()));
    }
    assert!(manifest.contains("[profile.release.package.edgeclip]\nopt-level = 3\n"), "the program");
    assert_eq!(crates.len(), 2, "{crates:?}");
    for name in crates {
        let expected = format!("[profile.release.package.{name}]\nopt-level = 3\ncodegen-units = 1\n");
        assert!(manifest.contains(&expected), "found none, expected in Cargo.toml: {expected}");
    }
}
