//! Holds the documentation: links lead somewhere, commands exist, examples do what they show.

mod pages;
mod shell;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::pages::{Page, normal, root};
use serde_json::Value;
use tempfile::tempdir;

use super::common::{Answer, edgeclip};

/// Columns of prose.
const WIDTH: usize = 100;
/// Pages that are measured or exported, not written.
const MADE: [&str; 2] = ["benches/record/", "models/"];
/// Words of the README, commands and tables included.
const README_WORDS: std::ops::Range<usize> = 500..800;

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn is_web(target: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// Where a link on `page` leads, from the root.
fn destination(page: &Page, target: &str) -> PathBuf {
    let file = target.split('#').next().unwrap();
    if file.is_empty() { page.path.clone() } else { normal(&page.path.with_file_name(file)) }
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut broken = Vec::new();
    let mut count = 0;
    for page in pages::all() {
        for link in page.links().iter().filter(|link| !is_web(&link.target)) {
            count += 1;
            let file = destination(&page, &link.target);
            let anchor = link.target.split_once('#').map(|(_, anchor)| anchor);
            let there = root().join(&file).exists()
                && anchor.is_none_or(|anchor| pages::read(&file).anchors().contains(anchor));
            if !there {
                broken.push(format!("{}:{}: no {}", page.name(), link.line, link.target));
            }
        }
    }
    assert_none(&broken);
    assert!(count > 100, "only {count} links");
}

#[test]
fn the_book_has_every_page_and_needs_no_other() {
    let summary = pages::read("docs/SUMMARY.md");
    let listed: BTreeSet<PathBuf> =
        summary.links().iter().map(|link| destination(&summary, &link.target)).collect();
    let mut wrong = Vec::new();
    for page in pages::all() {
        let written = page.path.starts_with("docs") && page.path != summary.path;
        if written && !listed.contains(&page.path) {
            wrong.push(format!("docs/SUMMARY.md lacks {}", page.name()));
        }
        if !listed.contains(&page.path) {
            continue;
        }
        for link in page.links().iter().filter(|link| !is_web(&link.target)) {
            let file = destination(&page, &link.target);
            let copied = ["docs/schema/", "LICENSE-"]
                .iter()
                .any(|start| file.display().to_string().starts_with(start))
                || file.extension().is_some_and(|extension| extension == "png" || extension == "jpg");
            if !copied && !listed.contains(&file) {
                wrong.push(format!("{}:{}: {} is not in the book", page.name(), link.line, link.target));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn prose_is_wrapped() {
    let mut wide = Vec::new();
    let written = |page: &&Page| !MADE.iter().any(|made| page.path.starts_with(made));
    for page in pages::all().iter().filter(written) {
        for (at, line) in page.prose() {
            let whole = line.trim_start().starts_with(['|', '#', '!', '<']) || line.starts_with("    ");
            // A word that fits no line, such as an address, is left alone.
            let breaks = line.trim().char_indices().take(WIDTH).any(|(_, c)| c == ' ');
            if !whole && breaks && line.chars().count() > WIDTH {
                wide.push(format!("{}:{at}: more than {WIDTH} columns", page.name()));
            }
        }
    }
    assert_none(&wide);
}

#[test]
fn the_readme_is_short() {
    let words = pages::read("README.md").text.split_whitespace().count();
    assert!(README_WORDS.contains(&words), "{words} words");
}

/// Places of the repository in backticks, such as `src/source/kind.rs`.
#[test]
fn places_in_backticks_exist() {
    let folders =
        ["src/", "crates/", "quantize/", "tests/", "benches/", "cross/", "docs/", "examples/", "fuzz/"];
    let mut lost = Vec::new();
    for page in pages::all() {
        if MADE.iter().any(|made| page.path.starts_with(made)) || page.name() == "CHANGELOG.md" {
            continue;
        }
        for (line, code) in page.code() {
            let path = code.split([' ', ':']).next().unwrap();
            let is_path =
                folders.iter().any(|folder| path.starts_with(folder)) && !path.contains(['*', '{', '<', '…']);
            // The pages of a crate name its own places, too.
            let beside = root().join(&page.path).with_file_name(path);
            let exists = root().join(path).exists() || beside.exists();
            if is_path && !exists {
                lost.push(format!("{}:{line}: no {path}", page.name()));
            }
        }
    }
    assert_none(&lost);
}

/// Every documented command line, as simple commands, with where it stands.
fn documented() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for page in pages::all() {
        for block in page.blocks() {
            if !["console", "sh", "bash"].contains(&block.language) {
                continue;
            }
            let place = format!("{}:{}", page.name(), block.line);
            for line in shell::lines(block.language, &block.text) {
                found.extend(shell::commands(&line).into_iter().map(|words| (place.clone(), words)));
            }
        }
    }
    found
}

/// What `edgeclip` is given, if that is what the command runs.
fn arguments(words: &[String]) -> Option<&[String]> {
    match words {
        [program, rest @ ..] if program == "edgeclip" => Some(rest),
        [cargo, run, rest @ ..] if cargo == "cargo" && run == "run" => {
            let at = rest.iter().position(|word| word == "--")?;
            (!rest[..at].iter().any(|word| word == "--example")).then(|| &rest[at + 1..])
        }
        _ => None,
    }
}

/// `detect`, or `vocab build`.
fn subcommand(arguments: &[String]) -> &[String] {
    let words = if arguments.first().is_some_and(|word| word == "vocab") { 2 } else { 1 };
    arguments.get(..words).unwrap_or(arguments)
}

#[test]
fn documented_flags_exist() {
    let mut helps: BTreeMap<Vec<String>, Answer> = BTreeMap::new();
    let mut wrong = Vec::new();
    let documented = documented();
    let ours: Vec<_> =
        documented.iter().filter_map(|(place, words)| Some((place, arguments(words)?))).collect();
    assert!(ours.len() > 40, "only {} commands", ours.len());
    for (place, arguments) in ours {
        let command = subcommand(arguments);
        let help = helps
            .entry(command.to_vec())
            .or_insert_with(|| edgeclip(root(), &[command, &["--help".to_owned()]].concat()));
        if help.code != Some(0) {
            wrong.push(format!("{place}: no edgeclip {}", command.join(" ")));
        }
        let known: BTreeSet<&str> = help.stdout.split(|c: char| !(c.is_alphanumeric() || c == '-')).collect();
        for word in arguments.iter().filter(|word| word.starts_with('-') && *word != "-") {
            let flag = word.split('=').next().unwrap();
            if !known.contains(flag) {
                wrong.push(format!("{place}: edgeclip {} has no {flag}", command.join(" ")));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn documented_calls_of_run_are_good_settings() {
    let folder = tempdir().unwrap();
    let mut wrong = Vec::new();
    let other = ["--list", "--config", "--help"];
    for (place, words) in documented() {
        let Some(arguments @ [run, rest @ ..]) = arguments(&words) else { continue };
        if run != "run" || rest.iter().any(|word| other.contains(&word.as_str())) {
            continue;
        }
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        arguments.retain(|word| *word != "--print-config");
        arguments.push("--print-config");
        let answer = edgeclip(folder.path(), &arguments);
        if answer.code != Some(0) {
            wrong.push(format!("{place}: {}", answer.stderr));
        }
    }
    assert_none(&wrong);
}

#[test]
fn documented_configurations_are_good() {
    let folder = tempdir().unwrap();
    let page = pages::read("docs/configuration.md");
    let files: Vec<_> = page.blocks().into_iter().filter(|block| block.language == "toml").collect();
    assert!(!files.is_empty());
    for block in files {
        fs::write(folder.path().join("edgeclip.toml"), &block.text).unwrap();
        edgeclip(folder.path(), &["run", "--config", "edgeclip.toml", "--print-config"]).ok();
    }
}

#[test]
fn documented_modules_scripts_and_recipes_exist() {
    let justfile = fs::read_to_string(root().join("justfile")).unwrap();
    let mut wrong = Vec::new();
    for (place, words) in documented() {
        if let Some(at) = words.iter().position(|word| word == "-m")
            && let Some(module) = words.get(at + 1).filter(|module| module.starts_with("quantize"))
        {
            let path = root().join(module.replace('.', "/"));
            if !path.with_extension("py").exists() && !path.join("__main__.py").exists() {
                wrong.push(format!("{place}: no module {module}"));
            }
        }
        let program = &words[0];
        if program.ends_with(".sh") && !root().join(program).exists() {
            wrong.push(format!("{place}: no {program}"));
        }
        if program == "just" {
            let recipe = words.get(1).map_or("default", String::as_str);
            let defines = |line: &str| line.split([' ', ':']).next() == Some(recipe);
            if recipe != "--list" && !justfile.lines().any(defines) {
                wrong.push(format!("{place}: no recipe {recipe}"));
            }
        }
    }
    assert_none(&wrong);
}

fn without_timing(line: &str) -> Value {
    let mut line: Value = serde_json::from_str(line).unwrap();
    line.as_object_mut().unwrap().remove("timing_ms").unwrap();
    line
}

#[test]
fn the_first_command_prints_what_the_readme_shows() {
    let page = pages::read("README.md");
    let blocks = page.blocks();
    let block = blocks.iter().find(|block| block.text.starts_with("$ cargo run")).expect("a first command");
    let (command, shown) = block.text.split_once('\n').unwrap();
    let words = shell::commands(&command[2..]).remove(0);
    let mut words = arguments(&words).unwrap().to_vec();
    let folder = tempdir().unwrap();
    let at = words.iter().position(|word| word == "--annotate").unwrap() + 1;
    words[at] = folder.path().join(&words[at]).display().to_string();
    let answer = edgeclip(root(), &words).ok();
    assert_eq!(without_timing(answer.stdout.trim_end()), without_timing(shown.trim_end()));
    assert!(Path::new(&words[at]).exists());
}

#[test]
fn eval_answers_as_its_page_shows() {
    let page = pages::read("docs/eval.md");
    let blocks = page.blocks();
    let session = blocks.iter().find_map(|block| block.text.strip_prefix("$ edgeclip eval <<'END'\n"));
    let (requests, answers) = session.expect("a session").split_once("END\n").unwrap();
    let mut eval = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    eval.arg("eval").current_dir(root()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut eval = eval.spawn().unwrap();
    eval.stdin.take().unwrap().write_all(requests.as_bytes()).unwrap();
    let output = eval.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), answers);
}

/// With `EDGECLIP_BLESS=1` the page is written anew.
#[test]
fn the_page_of_the_command_line_shows_the_help() {
    let path = root().join("docs/cli.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut parts = page.split("```console\n$ edgeclip ");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (command, rest) = part.split_once('\n').unwrap();
        let (_, rest) = rest.split_once("```\n").unwrap();
        let answer = edgeclip(root(), &command.split(' ').collect::<Vec<_>>()).ok();
        text += &format!("```console\n$ edgeclip {command}\n{}```\n{rest}", answer.stdout);
    }
    if std::env::var_os("EDGECLIP_BLESS").is_some() {
        fs::write(path, text).unwrap();
    } else {
        assert!(page == text, "found another help than in docs/cli.md; EDGECLIP_BLESS=1 writes it anew");
    }
}
