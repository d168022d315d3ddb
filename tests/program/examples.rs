//! The programs of `examples/`, which `cargo test` builds, on small inputs.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::tempdir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Next to the program, whatever profile and target folder are in use.
fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_edgeclip")).with_file_name("examples").join(name)
}

/// Runs an example at the repository's root; its standard output.
fn example(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(built(name)).args(arguments).current_dir(root()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, messages) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{name}: {messages}");
    out
}

#[test]
fn one_picture_finds_the_cat_and_draws_it() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out.png");
    let text = example("one_picture", &["tests/data/cat.jpg", "cat, dog", out.to_str().unwrap()]);
    assert!(text.contains("the picture: cat ") && text.contains("}: cat 0.7"), "{text}");
    assert_eq!(image::image_dimensions(out).unwrap(), (451, 300));
}

#[test]
fn the_camera_loop_ends_when_it_has_seen_enough() {
    let text = example("camera_loop", &["tests/data/cat.jpg", "cat", "1"]);
    assert!(text.starts_with("frame 0: cat 0.") && text.ends_with("seen in 1 frames\n"), "{text}");
}

#[test]
fn an_own_sink_keeps_a_tally_of_two_sources() {
    let text = example("own_sink", &["cat, cup", "tests/data/cat.jpg", "tests/data/coffee.jpg"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        ["tests/data/cat.jpg: cat in 1 frames", "tests/data/coffee.jpg: cup in 1 frames"],
        "{text}"
    );
}

#[test]
fn an_own_source_is_tracked() {
    let text = example("own_source", &["tests/data/cat.jpg", "cat"]);
    let ids: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(3)).collect();
    assert!(ids.len() > 3 && ids.iter().all(|id| *id == "1"), "{text}");
}

#[test]
fn a_folder_is_searched_by_a_sentence() {
    for (sentence, expected) in [("a cup of coffee on a table", "coffee.jpg"), ("a cat", "cat.jpg")] {
        let text = example("search_folder", &["tests/data", sentence]);
        assert!(text.lines().next().unwrap().ends_with(expected), "{sentence}: {text}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }
}

#[test]
fn a_display_shows_the_picture() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out.png");
    let text = example("spi_display", &["tests/data/cat.jpg", "cat", out.to_str().unwrap()]);
    assert!(text.ends_with("out.png: 1 things\n"), "{text}");
    assert_eq!(image::image_dimensions(out).unwrap(), (320, 240));
}

#[test]
fn an_example_says_what_it_expects() {
    for name in ["one_picture", "camera_loop", "own_sink", "own_source", "search_folder", "spi_display"] {
        let output = Command::new(built(name)).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains("expected "), "{name}: {message}");
        let source = std::fs::read_to_string(root().join(format!("examples/{name}.rs"))).unwrap();
        assert!(source.contains(&format!("--example {name} -- ")), "{name} does not say how to run it");
    }
}
