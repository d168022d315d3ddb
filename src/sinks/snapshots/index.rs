//! Which snapshots a folder holds, as its JSON files tell.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufReader, ErrorKind, Read};

use serde::Deserialize;

use super::name::is_stem;
use crate::sinks::files::{is_stamped, remove_abandoned, stamp};
use crate::system::Folder;

/// Suffix of the annotated frame.
pub(super) const ANNOTATED: &str = ".jpg";
/// Suffix of the frame without annotations.
pub(super) const PLAIN: &str = ".plain.jpg";
/// Suffix of the description.
pub(super) const JSON: &str = ".json";
/// More than any picture of ours has, in bytes.
const LARGEST: u64 = 512 << 20;
/// The same of a JSON file, which names every track in sight.
const LARGEST_JSON: u64 = 16 << 20;
/// What the mark of our pictures says. Which event they belong to, the JSON file says.
const PURPOSE: &str = "snapshot";

/// The snapshots of a folder.
#[derive(Default)]
pub(super) struct Index {
    /// Bytes of each snapshot, in the order in which they were written: by the clock, one that was wrong for
    /// a while would count as the newest, or as the oldest, for ever.
    snapshots: BTreeMap<(u64, String), u64>,
    /// Bytes of all.
    pub bytes: u64,
    /// Sequence number of the next snapshot.
    pub next: u64,
}

impl Index {
    /// Reads every JSON file of `folder`, and removes what an earlier run left half written.
    pub(super) fn read(folder: &Folder) -> io::Result<Self> {
        remove_abandoned(folder)?;
        let mut index = Self { next: 1, ..Self::default() };
        for name in folder.names()? {
            let stem = name.to_str().and_then(|name| name.strip_suffix(JSON)).filter(|stem| is_stem(stem));
            let found = stem.and_then(|stem| Some((stem, description(folder, stem)?)));
            if let Some((stem, description)) = found {
                let bytes = size(folder, stem);
                index.bytes += bytes;
                index.snapshots.insert((description.sequence, stem.to_owned()), bytes);
                index.next = index.next.max(description.sequence.saturating_add(1));
            }
        }
        Ok(index)
    }

    /// Adds the one that has been written.
    pub(super) fn add(&mut self, stem: &str, bytes: u64) {
        self.snapshots.insert((self.next, stem.to_owned()), bytes);
        self.bytes += bytes;
        self.next = self.next.saturating_add(1);
    }

    /// Name and bytes of the oldest.
    pub(super) fn oldest(&self) -> Option<(&str, u64)> {
        self.snapshots.first_key_value().map(|((_, stem), bytes)| (stem.as_str(), *bytes))
    }

    /// Leaves it out from now on.
    pub(super) fn forget_oldest(&mut self) {
        let bytes = self.snapshots.pop_first().map_or(0, |(_, bytes)| bytes);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// Marks a picture as a snapshot's.
pub(super) fn mark(picture: &mut Vec<u8>) {
    stamp(picture, PURPOSE);
}

/// What is needed of a JSON file.
#[derive(Deserialize)]
struct Described {
    r#type: String,
    name: String,
    /// Absent in files that other versions wrote, which count as older than all others.
    #[serde(default)]
    sequence: u64,
}

/// What the JSON file says, if it names itself as a snapshot: a copy under another name belongs to the user.
fn description(folder: &Folder, stem: &str) -> Option<Described> {
    let json = folder.read(&file(stem, JSON)).ok()?.take(LARGEST_JSON);
    let described: Described = serde_json::from_reader(BufReader::new(json)).ok()?;
    (described.r#type == "snapshot" && described.name == stem).then_some(described)
}

/// Whether all files of the snapshot are as edgeclip wrote them.
pub(super) fn is_own(folder: &Folder, stem: &str) -> bool {
    let own = |ending: &&str| match folder.read(&file(stem, ending)) {
        Ok(picture) => is_stamped(picture.take(LARGEST), PURPOSE).unwrap_or(false),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    description(folder, stem).is_some() && [ANNOTATED, PLAIN].iter().all(own)
}

/// Bytes of a snapshot's files.
fn size(folder: &Folder, stem: &str) -> u64 {
    let length = |ending| folder.about(&file(stem, ending)).ok().flatten().map_or(0, |about| about.len());
    [JSON, ANNOTATED, PLAIN].into_iter().map(length).sum()
}

pub(super) fn file(stem: &str, ending: &str) -> OsString {
    OsString::from(format!("{stem}{ending}"))
}
