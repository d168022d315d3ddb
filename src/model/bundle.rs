//! A model bundle: the manifest and the files that it vouches for, from a folder or from inside the program.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{self, Manifest};
use crate::error::{Error, ErrorKind, Result};

/// The vision network.
pub(crate) const VISION: &str = "vision.onnx";
/// The region prompter.
pub(crate) const PROMPT: &str = "prompt.onnx";
/// The text tower.
pub(crate) const TEXT: &str = "text.onnx";
/// The text tower's tokenizer, in Hugging Face's format.
#[cfg(feature = "text")]
pub(crate) const TOKENIZER: &str = "tokenizer.json";
/// The bank of everyday names that stands for "none of these".
pub(crate) const NEGATIVES: &str = "negatives.vocab.safetensors";

/// Where examples are compared: means and deviations of features, and a bank of everyday features. Only in
/// bundles whose manifest has a section `[examples]`.
pub(crate) const FEATURES: &str = "features.safetensors";

/// What the detector itself calls a box. Only in bundles whose manifest has a section `[classes]`.
pub(crate) const CLASSES: &str = "classes.safetensors";

/// Most bytes of the manifest.
const MANIFEST_BYTES: u64 = 1 << 20;
/// Most bytes of any other file.
const FILE_BYTES: u64 = 512 << 20;

const FILES: &[&str] = &[
    VISION,
    PROMPT,
    #[cfg(feature = "text")]
    TEXT,
    #[cfg(feature = "text")]
    TOKENIZER,
    NEGATIVES,
];

#[cfg(not(feature = "packed"))]
macro_rules! default_file {
    ($name:literal) => {
        Ok(Cow::Borrowed(include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/default/", $name))))
    };
}

/// What `build.rs` has deflated.
#[cfg(feature = "packed")]
macro_rules! default_file {
    ($name:literal) => {
        fdeflate::decompress_to_vec(include_bytes!(concat!(env!("OUT_DIR"), "/", $name)))
            .map(Cow::Owned)
            .map_err(|error| Error::bug(format!("{}: {error:?}", $name)))
    };
}

/// A model bundle.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    /// What the bundle says about itself.
    pub manifest: Manifest,
    /// `None` for the bundle inside the program.
    folder: Option<PathBuf>,
}

impl Bundle {
    /// The bundle that is compiled into this program.
    ///
    /// # Errors
    /// [`Error::Model`] if the program was built from a broken bundle.
    pub(crate) fn embedded() -> Result<Self> {
        let text = embedded_file(manifest::FILE)?;
        let manifest = Manifest::parse(manifest::FILE, &String::from_utf8_lossy(&text))?;
        Ok(Self { manifest, folder: None })
    }

    /// The bundle in `folder`: all files must be there and the manifest must name a hash for each. A file's contents
    /// are compared with its hash when it is read.
    ///
    /// # Errors
    /// [`Error::Settings`] if there is no such folder, [`Error::Model`] naming the file.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            let found = if folder.exists() { "a file" } else { "nothing there" };
            return Err(Error::settings(
                folder.display().to_string(),
                found,
                "a model folder holding model.toml",
            ));
        }
        for name in FILES.iter().chain([&manifest::FILE]) {
            if !folder.join(name).is_file() {
                let path = folder.join(name).display().to_string();
                return Err(Error::model(
                    path,
                    "no such file",
                    format!("a folder holding model.toml, {}", FILES.join(", ")),
                ));
            }
        }
        let path = folder.join(manifest::FILE);
        let name = path.display().to_string();
        let bytes = read(&path, MANIFEST_BYTES)?;
        let text =
            String::from_utf8(bytes).map_err(|_| Error::model(&name, "bytes that are no text", "UTF-8"))?;
        let manifest = Manifest::parse(&name, &text)?;
        if let Some((name, section)) = optional(&manifest).find(|(name, _)| !folder.join(name).is_file()) {
            let path = folder.join(name).display().to_string();
            let expected = format!("the file that {section} of model.toml needs");
            return Err(Error::model(path, "no such file", expected));
        }
        if let Some(missing) = files(&manifest).find(|file| !manifest.files.contains_key(*file)) {
            return Err(Error::model(
                name,
                format!("no hash of {missing} under [files]"),
                "one for each file",
            ));
        }
        Ok(Self { manifest, folder: Some(folder.to_owned()) })
    }

    /// Contents of the bundle's file `name`, one of this module's constants, checked against the manifest's hash.
    ///
    /// # Errors
    /// [`Error::Model`] if it cannot be read, [`Error::Model`] naming both hashes if it was changed.
    pub(crate) fn file(&self, name: &str) -> Result<Cow<'static, [u8]>> {
        let Some(folder) = &self.folder else {
            return embedded_file(name);
        };
        let path = folder.join(name).display().to_string();
        let bytes = read(&folder.join(name), FILE_BYTES)?;
        let expected = self.manifest.files.get(name).map_or("", String::as_str);
        let found = sha256(&bytes);
        if !found.eq_ignore_ascii_case(expected) {
            return Err(Error::model(
                path,
                format!("sha256 {found}"),
                format!("sha256 {expected} as in model.toml"),
            ));
        }
        Ok(Cow::Owned(bytes))
    }

    /// Name and sha256 of every file, each compared with the manifest's, those inside the program as well.
    ///
    /// # Errors
    /// As [`Bundle::file`].
    pub(crate) fn verify(&self) -> Result<Vec<(&'static str, String)>> {
        let verified = files(&self.manifest).map(|name| {
            let found = sha256(&self.file(name)?);
            let expected = self.manifest.files.get(name).map_or("", String::as_str);
            if !found.eq_ignore_ascii_case(expected) {
                let expected = format!("sha256 {expected} as in model.toml");
                return Err(Error::model(self.path(name), format!("sha256 {found}"), expected));
            }
            Ok((name, found))
        });
        verified.collect()
    }

    /// What errors call the bundle's file `name`.
    pub(super) fn path(&self, name: &str) -> String {
        self.folder.as_ref().map_or_else(|| name.to_owned(), |folder| folder.join(name).display().to_string())
    }
}

/// The files of a bundle with this manifest.
fn files(manifest: &Manifest) -> impl Iterator<Item = &'static str> {
    FILES.iter().copied().chain(optional(manifest).map(|(file, _)| file))
}

/// Files that a bundle has only with a section of the manifest, and that section.
fn optional(manifest: &Manifest) -> impl Iterator<Item = (&'static str, &'static str)> {
    let examples = manifest.examples.is_some().then_some((FEATURES, "[examples]"));
    examples.into_iter().chain(manifest.classes.is_some().then_some((CLASSES, "[classes]")))
}

/// Reads a file of at most `most` bytes.
fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let name = || path.display().to_string();
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|source| Error::io(ErrorKind::Model, name(), source))?;
    if bytes.len() as u64 > most {
        return Err(Error::model(name(), "more bytes than that", format!("at most {} MB", most >> 20)));
    }
    Ok(bytes)
}

fn embedded_file(name: &str) -> Result<Cow<'static, [u8]>> {
    match name {
        manifest::FILE => default_file!("model.toml"),
        VISION => default_file!("vision.onnx"),
        PROMPT => default_file!("prompt.onnx"),
        #[cfg(feature = "text")]
        TEXT => default_file!("text.onnx"),
        #[cfg(feature = "text")]
        TOKENIZER => default_file!("tokenizer.json"),
        NEGATIVES => default_file!("negatives.vocab.safetensors"),
        FEATURES => default_file!("features.safetensors"),
        CLASSES => default_file!("classes.safetensors"),
        _ => Err(Error::bug(format!("no bundle file is called {name}"))),
    }
}

/// sha256 in lower-case hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
