//! Running the program and making its input.

#![allow(dead_code, reason = "not every test file uses every helper")]

pub(crate) mod example_manifest;
pub(crate) mod film;
pub(crate) mod live;
pub(crate) mod taught;

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Rgb, RgbImage};
use serde_json::Value;

/// What the program answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// Asserts that all went well.
    pub(crate) fn ok(self) -> Self {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self
    }

    /// Asserts exit code 2 (78 for settings of `run`) and one line of standard error, and returns that.
    pub(crate) fn refusal(&self) -> &str {
        assert!(matches!(self.code, Some(2 | 78)), "{self:?}");
        let line = self.stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(!line.contains('\n'), "more than one line: {line}");
        assert!(!line.contains("panicked"), "{line}");
        assert!(line.starts_with("edgeclip: "), "{line}");
        line
    }

    /// Asserts a refusal that names each of `parts`.
    pub(crate) fn refuses(&self, parts: &[&str]) {
        let line = self.refusal();
        for part in parts {
            assert!(line.contains(part), "no \"{part}\" in: {line}");
        }
    }

    /// One JSON value a line of standard output.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }
}

/// Runs `edgeclip` in `folder`.
pub(crate) fn edgeclip<A: AsRef<str> + Debug>(folder: &Path, arguments: &[A]) -> Answer {
    let arguments = arguments.iter().map(AsRef::as_ref);
    let output =
        Command::new(env!("CARGO_BIN_EXE_edgeclip")).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Copies a photo of a person, 512 × 512 pixels, JPEG.
pub(crate) fn photo(path: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/astronaut.jpg");
    fs::copy(source, path).unwrap();
    path.to_owned()
}

/// Writes a picture of coloured blocks, `width` × `height` pixels.
pub(crate) fn picture(path: &Path, width: u32, height: u32) -> PathBuf {
    let block = |x: u32, y: u32| if (x / 9 + y / 7).is_multiple_of(3) { 220 } else { 30 };
    let colour = |x: u32, y: u32| Rgb([(x * 255 / width) as u8, block(x, y), (y * 255 / height) as u8]);
    RgbImage::from_fn(width, height, colour).save(path).unwrap();
    path.to_owned()
}
