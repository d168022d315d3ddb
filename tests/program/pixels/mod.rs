//! Pixels go in, words come out: no pixel of a frame is in anything that is written unless pictures are asked for, and
//! none that is hidden even then.

mod finder;
mod hidden;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Rgb, RgbImage};
use tempfile::tempdir;

use self::finder::Finder;
use crate::common::film::y4m;

/// A picture whose pixels are all different from their neighbours.
fn noise(width: u32, height: u32, seed: u32) -> RgbImage {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let mut byte = || {
        // Xorshift (Marsaglia 2003).
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 11) as u8
    };
    RgbImage::from_fn(width, height, |_, _| Rgb([byte(), byte(), byte()]))
}

/// All files in a folder, at any depth.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Size of the pictures.
const SIZE: (u32, u32) = (96, 64);

/// Runs the program in `folder`, where it may also leave its state; what it has printed.
fn run(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgeclip"));
    command.current_dir(folder).env("XDG_STATE_HOME", folder.join("state")).env("HOME", folder);
    let output = command.args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {err}");
    assert!(!out.is_empty(), "{arguments:?} prints something to look at");
    [output.stdout, output.stderr].concat()
}

#[test]
fn without_pictures_no_byte_of_a_pattern_is_written_anywhere() {
    let folder = tempdir().unwrap();
    let frames: Vec<RgbImage> = (1..6).map(|seed| noise(SIZE.0, SIZE.1, seed)).collect();
    let mut finder = Finder::default();
    let inputs = folder.path().join("inputs");
    fs::create_dir_all(inputs.join("inbox")).unwrap();
    let film = y4m(&frames, 5);
    // Planes of Y, U and V; what is decoded of them is found by the raw film.
    finder.add(&film[64..]);
    let raw: Vec<u8> = frames.iter().flat_map(|frame| frame.as_raw().clone()).collect();
    fs::write(inputs.join("film.y4m"), &film).unwrap();
    fs::write(inputs.join("film.rgb"), &raw).unwrap();
    for (number, frame) in frames.iter().enumerate() {
        frame.save(inputs.join(format!("inbox/{number}.png"))).unwrap();
    }
    let known: Vec<Finder> = frames.iter().map(Finder::of).chain([finder]).collect();
    let found = |bytes: &[u8]| known.iter().find_map(|finder| finder.find(bytes));
    assert_eq!(found(&raw), Some(0));
    assert!(found(&film).is_some());

    let words = ["--prompt", "cat, dog, grass", "--threshold", "0"];
    let eventful = ["--set", "track.confirm_hits=1", "--set", "scene.on=0", "--set", "scene.off=0"];
    let zone = ["--zone", "all=0,0,1,1", "--set", "occupancy.frames=1", "--log", "trace"];
    let sinks = ["--csv", "table.csv", "--status", "0.01"];
    let live = |source: &[&'static str], more: &[&'static str]| {
        let run = ["run", "--source"];
        [&run[..], source, &words, &eventful, &zone, more].concat()
    };
    let raw = ["inputs/film.rgb", "--pixel-format", "RGB3", "--size", "96x64"];
    let calls = [
        live(&raw, &sinks),
        live(&["inputs/film.y4m"], &[]),
        live(&["inputs/inbox"], &["--format", "csv", "--every-frame", "--skip-still"]),
        // Words that hide something hide it where there are pictures.
        live(&raw, &["--blur", "cat, face", "--mask", "0,0,0.5,1"]),
        [&["detect", "inputs/inbox"][..], &words].concat(),
        [&["detect", "inputs/inbox", "--format", "text"][..], &words].concat(),
        vec!["vocab", "build", "--prompt", "cat, dog", "--out", "words.vocab.safetensors"],
    ];
    for call in &calls {
        let printed = run(folder.path(), call);
        assert_eq!(found(&printed), None, "{call:?} prints pixels");
    }
    let written: Vec<PathBuf> =
        files(folder.path()).into_iter().filter(|path| !path.starts_with(&inputs)).collect();
    let names: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    assert!(names.iter().any(|name| name.ends_with("table.csv")), "{names:?}");
    for path in written {
        assert_eq!(found(&fs::read(&path).unwrap()), None, "{} holds pixels", path.display());
    }
}
