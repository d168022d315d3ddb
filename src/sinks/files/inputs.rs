//! What a command reads, so that it is not written to under any other spelling.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{stdin, stdout};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::error::{Error, Result};
use crate::sinks::PictureKind;
use crate::source::expand;
use crate::system::FileId;

/// How patterns match when they are expanded.
const MATCH: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Files, folders and patterns that are read, known by what they are rather than by their spelling.
#[derive(Default)]
pub(crate) struct Inputs {
    /// Files, by what messages call them.
    files: HashMap<FileId, String>,
    places: Vec<Place>,
    patterns: Vec<(Pattern, String)>,
}

/// A folder whose pictures are read, or a path that leads nowhere yet.
struct Place {
    shown: String,
    path: PathBuf,
    id: Option<FileId>,
}

impl Inputs {
    /// Adds pictures as they are given on the command line: files, folders, patterns.
    pub(crate) fn add_pictures(&mut self, arguments: &[PathBuf]) {
        for argument in arguments {
            self.add(argument);
            expand(std::slice::from_ref(argument))
                .iter()
                .flatten()
                .for_each(|picture| self.add_file(picture));
        }
    }

    /// Adds a file, a folder or a pattern; a path that leads nowhere may be any of them later.
    pub(crate) fn add(&mut self, path: &Path) {
        let shown = path.display().to_string();
        if path.is_file() {
            self.add_file(path);
        } else {
            let pattern = path.to_str().filter(|text| !path.exists() && text.contains(['*', '?', '[']));
            self.patterns.extend(pattern.and_then(|text| Some((resolved_pattern(text)?, shown.clone()))));
            self.places.push(Place { shown, path: resolved(path), id: FileId::at(path) });
        }
    }

    /// Adds a file, if it is there.
    pub(crate) fn add_file(&mut self, path: &Path) {
        if let Ok(about) = fs::metadata(path) {
            self.add_regular(&about, || path.display().to_string());
        }
    }

    /// Adds the files of a folder, such as a model bundle.
    pub(crate) fn add_files_of(&mut self, folder: &Path) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.for_each(|entry| self.add_file(&entry.path()));
    }

    /// Adds the file that standard input was redirected from, if any.
    pub(crate) fn add_stdin(&mut self) {
        if let Some(about) = about(stdin().as_fd()) {
            self.add_regular(&about, || "standard input".to_owned());
        }
    }

    fn add_regular(&mut self, about: &Metadata, name: impl FnOnce() -> String) {
        if about.is_file() {
            self.files.entry(FileId::of(about)).or_insert_with(name);
        }
    }

    /// # Errors
    /// [`Error::Settings`] if a file that `flag` names is read, or would be: it lies among the pictures.
    pub(crate) fn refuse_file(&self, path: &Path, flag: &str) -> Result<()> {
        let refuse = |found: String| {
            Err(Error::settings(path.display().to_string(), found, format!("another file for {flag}")))
        };
        if let Some(input) = FileId::at(path).and_then(|id| self.files.get(&id)) {
            return refuse(input_called(input, path));
        }
        let (place, picture) = (resolved(path), PictureKind::of(path).is_some());
        if let Some(input) = self.places.iter().find(|input| input.path == place) {
            return refuse(input_called(&input.shown, path));
        }
        match place.parent().and_then(|folder| self.reader(folder, &place)).filter(|_| picture) {
            Some(input) => refuse(format!("a picture among those of {input}, which are looked at")),
            None => Ok(()),
        }
    }

    /// # Errors
    /// [`Error::Settings`] if pictures of the folder that `flag` names are read. Files will be called like
    /// `example`.
    pub(crate) fn refuse_folder(&self, folder: &Path, flag: &str, example: &str) -> Result<()> {
        let place = resolved(folder);
        let Some(input) = self.reader(&place, &place.join(example)) else { return Ok(()) };
        let name = folder.display().to_string();
        let other = folder.join("annotated");
        let found = if input == name {
            "a folder whose pictures are looked at".to_owned()
        } else {
            format!("the folder of {input}, whose pictures are looked at")
        };
        Err(Error::settings(
            name,
            found,
            format!("another folder for {flag}, for example {}", other.display()),
        ))
    }

    /// # Errors
    /// [`Error::Settings`] if standard output goes to a file that is read.
    pub(crate) fn refuse_stdout(&self) -> Result<()> {
        let input = about(stdout().as_fd()).and_then(|about| self.files.get(&FileId::of(&about)));
        input.map_or(Ok(()), |input| {
            Err(Error::settings("standard output", format!("the input {input}"), "another file behind >"))
        })
    }

    /// Whether this file is read.
    pub(crate) fn has(&self, path: &Path) -> bool {
        FileId::at(path).is_some_and(|id| self.files.contains_key(&id))
    }

    /// What reads the pictures of `folder`, or would read `file` in it.
    fn reader(&self, folder: &Path, file: &Path) -> Option<&str> {
        let id = FileId::at(folder);
        let same = |place: &&Place| place.path == folder || id.is_some() && place.id == id;
        let pattern = || self.patterns.iter().find(|(pattern, _)| pattern.matches_path_with(file, MATCH));
        let place = self.places.iter().find(same).map(|place| &*place.shown);
        place.or_else(|| pattern().map(|(_, shown)| &**shown))
    }
}

/// Same name or not: users type one and mean the other.
fn input_called(input: &str, path: &Path) -> String {
    if Path::new(input) == path { "the input itself".to_owned() } else { format!("the input {input}") }
}

fn about(stream: BorrowedFd<'_>) -> Option<Metadata> {
    File::from(stream.try_clone_to_owned().ok()?).metadata().ok()
}

/// The path without links and dots, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut known = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(known.pop()),
            part => {
                known.push(part);
                known = known.canonicalize().unwrap_or(known);
            }
        }
    }
    known
}

/// The pattern with its folders, as far as they exist as they are written, without links and dots.
fn resolved_pattern(text: &str) -> Option<Pattern> {
    let path = Path::new(text);
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir() || folder.as_os_str().is_empty())?;
    let rest = path.strip_prefix(folder).ok()?;
    let folder = resolved(if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    Pattern::new(&format!("{}/{}", Pattern::escape(folder.to_str()?.trim_end_matches('/')), rest.to_str()?))
        .ok()
}

#[cfg(test)]
#[path = "inputs_tests.rs"]
mod tests;
