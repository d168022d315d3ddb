//! Snapshots as a data set takes them: pictures with named boxes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::cli::Failures;
use crate::error::{Error, Result};
use crate::pipeline::open_vocabulary;
use crate::system::read_within;

/// Most bytes of a snapshot's JSON file.
const LARGEST: u64 = 16 << 20;

/// All snapshots of a folder.
pub(super) struct Snapshots {
    /// In the order of their names.
    pub list: Vec<Snapshot>,
    /// All names of boxes, sorted.
    pub names: Vec<String>,
}

/// A picture with named boxes.
pub(super) struct Snapshot {
    /// The picture's file.
    pub picture: PathBuf,
    /// Whether boxes are drawn on it.
    pub is_drawn_on: bool,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// What is on it.
    pub boxes: Vec<Named>,
}

/// A named box.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    /// Its name.
    pub label: String,
    /// Probability of it, 0 to 1.
    pub score: f64,
    /// x0, y0, x1, y1 in pixels.
    pub rect: [f64; 4],
}

#[derive(Deserialize)]
struct Description {
    pictures: Vec<String>,
    width: u32,
    height: u32,
    track: Option<u64>,
    tracks: Vec<Track>,
}

#[derive(Deserialize)]
struct Track {
    id: u64,
    label: String,
    score: f64,
    #[serde(rename = "box")]
    rect: [f64; 4],
    seen: bool,
}

/// What the user has said of a snapshot's object, by the sha256 of its JSON file: another name, or that the name
/// is wrong.
type Corrections = HashMap<String, Option<String>>;

impl Snapshots {
    /// The pictures, with their names.
    pub(super) fn pictures(&self) -> impl Iterator<Item = (String, &Path)> {
        self.list.iter().map(|snapshot| (snapshot.file_name(), snapshot.picture.as_path()))
    }

    /// Reads a folder. Snapshots that cannot be used are told and passed over.
    ///
    /// # Errors
    /// [`Error::Input`] if the folder cannot be read or has no snapshots, or the vocabulary cannot be used.
    pub(super) fn read(folder: &Path, vocab: Option<&Path>, failures: &mut Failures) -> Result<Self> {
        let shown = folder.display().to_string();
        let corrections = vocab.map_or_else(|| Ok(Corrections::new()), corrections)?;
        let expected = "a folder of `edgeclip run --snapshot`";
        let entries =
            fs::read_dir(folder).map_err(|error| Error::input(&shown, error.to_string(), expected))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        let mut list: Vec<Snapshot> = Vec::new();
        for file in files {
            match Snapshot::read(&file, &corrections) {
                // Several events of a frame have a picture each, which shows the same.
                Ok(Some(snapshot)) => list.push(snapshot),
                Ok(None) => {}
                Err(error) => failures.add(error),
            }
        }
        if list.is_empty() {
            return Err(Error::input(shown, "no snapshots", expected));
        }
        let labels = list.iter().flat_map(|snapshot| &snapshot.boxes).map(|named| named.label.clone());
        let mut names: Vec<String> = labels.collect();
        names.sort();
        names.dedup();
        Ok(Self { list, names })
    }

    /// The place of a name among all.
    pub(super) fn class(&self, label: &str) -> usize {
        self.names.binary_search_by(|name| name.as_str().cmp(label)).unwrap_or_default()
    }
}

impl Snapshot {
    /// `None` for another JSON file.
    fn read(file: &Path, corrections: &Corrections) -> Result<Option<Self>> {
        let name = file.display().to_string();
        let wrong = |found: String| Error::input(&name, found, "the JSON file of a snapshot");
        let bytes = read_within(file, LARGEST).map_err(|error| wrong(error.to_string()))?;
        let value: serde_json::Value =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if value.get("type").and_then(serde_json::Value::as_str) != Some("snapshot") {
            return Ok(None);
        }
        let described: Description =
            serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        let plain = |picture: &&String| picture.ends_with(".plain.jpg");
        let picture = described.pictures.iter().find(plain).or(described.pictures.first());
        let picture =
            picture.filter(|picture| !picture.contains('/')).ok_or_else(|| wrong("no picture".to_owned()))?;
        let is_drawn_on = !plain(&picture);
        let path = file.with_file_name(picture);
        if !path.is_file() {
            return Err(Error::input(
                path.display().to_string(),
                "nothing there",
                format!("the picture of {name}"),
            ));
        }
        let hash = crate::cli::vocab::hexadecimal(&Sha256::digest(&bytes));
        let corrected = corrections.get(&hash);
        let boxes = described.tracks.into_iter().filter(|track| track.seen).filter_map(|track| {
            let corrected = corrected.filter(|_| described.track == Some(track.id));
            let (label, score) = match corrected {
                Some(Some(name)) => (name.clone(), 1.0),
                Some(None) => return None,
                None => (track.label, track.score),
            };
            let rect = within(track.rect, described.width, described.height)?;
            Some(Named { label, score, rect })
        });
        let boxes = boxes.collect();
        Ok(Some(Self { picture: path, is_drawn_on, width: described.width, height: described.height, boxes }))
    }

    /// The picture's name without its folder.
    pub(super) fn file_name(&self) -> String {
        self.picture.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// The same without its ending.
    pub(super) fn stem(&self) -> String {
        let name = self.file_name();
        name.strip_suffix(".jpg").map_or(name.clone(), ToOwned::to_owned)
    }
}

/// The part of a box inside the picture; `None` if there is none.
fn within(rect: [f64; 4], width: u32, height: u32) -> Option<[f64; 4]> {
    let [x0, y0, x1, y1] = rect;
    let (w, h) = (f64::from(width), f64::from(height));
    let rect = [x0.clamp(0.0, w), y0.clamp(0.0, h), x1.clamp(0.0, w), y1.clamp(0.0, h)];
    (rect[0] < rect[2] && rect[1] < rect[3]).then_some(rect)
}

/// What a vocabulary file says of snapshots.
fn corrections(file: &Path) -> Result<Corrections> {
    let vocabulary = open_vocabulary(file, None)?;
    let mut corrections = Corrections::new();
    for row in vocabulary.examples().map_or(&[][..], |examples| &examples.rows) {
        let said = corrections.entry(row.origin.sha256.clone()).or_default();
        if !row.counter {
            *said = Some(vocabulary.name(row.entry).to_owned());
        }
    }
    Ok(corrections)
}
