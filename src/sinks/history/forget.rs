//! What shall not be known any more.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::log::{remove, segments, stem};
use super::row::{features_stride, stride};
use super::search::opened;
use super::segment::{EMBEDDINGS, FEATURES, LINES, Seen, day_of, file, header};
use crate::error::{self, Error, Result};
use crate::sinks::snapshots::is_stem;
use crate::system::Folder;

/// What shall be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forgotten {
    /// The event with this id.
    Event(String),
    /// A day, as `2026-11-22`.
    Day(String),
    /// Everything.
    All,
}

impl Forgotten {
    /// What `text` names: `all`, a day, or an event's id.
    ///
    /// # Errors
    /// [`Error::Settings`] if it is none of them.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "all" => Ok(Self::All),
            day if day.len() == 10 && day_of(day).is_some() => Ok(Self::Day(day.to_owned())),
            id if is_stem(id) => Ok(Self::Event(id.to_owned())),
            other => Err(Error::settings(
                "--forget",
                other,
                "all, a day such as 2026-11-22, or an id as `edgeclip search` prints it",
            )),
        }
    }
}

/// Overwrites an event, or deletes the files of days; a program that is writing them goes on. The number of
/// entries that are gone.
///
/// # Errors
/// [`Error::Input`] if the folder cannot be opened; [`Error::Device`] if it cannot be read or written.
pub(crate) fn forget(folder: &Path, what: &Forgotten) -> Result<u64> {
    let name = folder.display().to_string();
    let failed = |source| Error::io(error::ErrorKind::Device, name.clone(), source);
    let folder = opened(folder)?;
    let stems = segments(&folder).map_err(failed)?.into_keys();
    let mut gone = 0;
    for (day, number) in stems {
        let stem = stem(&day, number);
        gone += match what {
            Forgotten::Event(id) => forget_event(&folder, &stem, id),
            Forgotten::Day(wanted) if *wanted != day => Ok(0),
            Forgotten::Day(_) | Forgotten::All => entries(&folder, &stem).and_then(|entries| {
                remove(&folder, &stem)?;
                Ok(entries)
            }),
        }
        .map_err(failed)?;
    }
    Ok(gone)
}

/// Number of entries that say something.
fn entries(folder: &Folder, stem: &str) -> io::Result<u64> {
    let mut entries = 0;
    each_line(folder, stem, |_, _, seen| {
        entries += u64::from(seen.is_some());
        Ok(())
    })?;
    Ok(entries)
}

/// Overwrites the entries of an event with zeros and spaces.
fn forget_event(folder: &Folder, stem: &str, id: &str) -> io::Result<u64> {
    let Some(header) = header(folder, stem)? else { return Ok(0) };
    let mut places = Vec::new();
    each_line(folder, stem, |row, (begin, length), seen| {
        if seen.is_some_and(|seen| seen.id == id) {
            places.push((row, begin, length));
        }
        Ok(())
    })?;
    if places.is_empty() {
        return Ok(0);
    }
    let update = |ending| folder.update(&file(stem, ending));
    let (lines, embeddings) = (update(LINES)?, update(EMBEDDINGS)?);
    let features = (header.features > 0).then(|| update(FEATURES)).transpose()?;
    let clear =
        |file: &File, stride: usize, row: u64| file.write_all_at(&vec![0; stride], row * stride as u64);
    for (row, begin, length) in &places {
        clear(&embeddings, stride(header.space.embedding), *row)?;
        features.iter().try_for_each(|file| clear(file, features_stride(header.features), *row))?;
        let mut line = b"{}".to_vec();
        line.resize(*length, b' ');
        lines.write_all_at(&line, *begin)?;
    }
    Ok(places.len() as u64)
}

/// Calls `each` with the number of every entry, where its line begins and how long it is, and what it says.
fn each_line(
    folder: &Folder,
    stem: &str,
    mut each: impl FnMut(u64, (u64, usize), Option<Seen>) -> io::Result<()>,
) -> io::Result<()> {
    let mut lines = BufReader::new(folder.read(&file(stem, LINES))?);
    let (mut begin, mut number) = (0, 0u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        lines.read_until(b'\n', &mut line)?;
        if line.pop() != Some(b'\n') {
            return Ok(());
        }
        if let Some(row) = number.checked_sub(1) {
            each(row, (begin, line.len()), serde_json::from_slice(&line).ok())?;
        }
        begin += line.len() as u64 + 1;
        number += 1;
    }
}
