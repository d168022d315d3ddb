//! What was seen that is most like a sentence or an example.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::{self, available_parallelism};

use super::log::{segments, stem};
use super::row::{Row, features_of, features_stride, hash, stride};
use super::segment::{EMBEDDINGS, FEATURES, Header, LINES, Seen, file, header, line};
use crate::error::{self, Error, Result};
use crate::model::FeatureVector;
use crate::report::VectorSpace;
use crate::sinks::clock::day_of_milliseconds;
use crate::system::{Folder, beside};
use edgeclip_kernels::dot;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// What is expected of a folder.
const WRITTEN: &str = "what `edgeclip run --history` has written";
/// More would wait for the same memory.
const MOST_THREADS: usize = 4;

/// What is searched for.
pub(crate) struct Query<'a> {
    /// The networks that made the vector.
    pub space: &'a VectorSpace,
    /// The sentence or the example.
    pub vector: Sought,
    /// Milliseconds since 1970, the first that count and the first that do not.
    pub times: std::ops::Range<u64>,
    /// Names of sources; all if empty.
    pub sources: Vec<String>,
    /// Names of things; all if empty.
    pub labels: Vec<String>,
    /// Most that are found.
    pub most: usize,
}

/// What rows are compared with.
pub(crate) enum Sought {
    /// The embedding of a sentence.
    Words(FeatureVector),
    /// The vector of an example.
    Example(FeatureVector),
}

/// One thing that was seen.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Cosine with what was searched for, −1 to 1.
    pub cosine: f32,
    /// What and when.
    pub seen: Seen,
    /// What words are compared with.
    pub embedding: FeatureVector,
    /// Logit of its being a thing at all.
    pub objectness: f32,
}

/// The result of a search.
#[derive(Debug, Default)]
pub(crate) struct Searched {
    /// The most similar first; each event once.
    pub found: Vec<Found>,
    /// How many entries were compared.
    pub compared: u64,
    /// Days whose entries were made by other networks.
    pub other_networks: Vec<String>,
}

/// A row that may be found.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    cosine: f32,
    segment: usize,
    row: u64,
}

impl Ord for Candidate {
    /// The least similar is the greatest, so that a heap gives it up first; of equals, the oldest.
    fn cmp(&self, other: &Self) -> Ordering {
        let at = (other.segment, other.row).cmp(&(self.segment, self.row));
        other.cosine.total_cmp(&self.cosine).then(at)
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Candidate {}

/// The files of a segment.
struct Files {
    header: Header,
    lines: File,
    embeddings: File,
    features: Option<File>,
}

impl Files {
    fn open(folder: &Folder, stem: &str) -> io::Result<Option<Self>> {
        let Some(header) = header(folder, stem)? else { return Ok(None) };
        let read = |ending| folder.read(&file(stem, ending));
        let features = (header.features > 0).then(|| read(FEATURES)).transpose()?;
        Ok(Some(Self { header, lines: read(LINES)?, embeddings: read(EMBEDDINGS)?, features }))
    }
}

/// Opens the folder of a history.
pub(super) fn opened(folder: &Path) -> Result<Folder> {
    let refused = |error: io::Error| {
        let found = match error.kind() {
            ErrorKind::NotFound => "no such folder".to_owned(),
            ErrorKind::NotADirectory => "a file".to_owned(),
            _ => error.to_string(),
        };
        Error::input(folder.display().to_string(), found, WRITTEN)
    };
    Folder::open(folder).map_err(refused)
}

/// Searches the history in `folder`. Files are read rather than mapped: one that is cut while it is read ends
/// early, where a map would end the program.
///
/// # Errors
/// [`Error::Input`] if the folder cannot be read, or holds no history.
pub(crate) fn search(folder: &Path, query: &Query<'_>) -> Result<Searched> {
    let name = folder.display().to_string();
    let failed = |source| Error::io(error::ErrorKind::Input, name.clone(), source);
    let folder = opened(folder)?;
    let stems = segments(&folder).map_err(failed)?;
    if stems.is_empty() {
        return Err(Error::input(&name, "no history in this folder", WRITTEN));
    }
    let days = day_of_milliseconds(query.times.start)..=day_of_milliseconds(query.times.end);
    let mut searched = Searched::default();
    let mut files = Vec::new();
    for (day, number) in stems.into_keys().filter(|(day, _)| days.contains(day)) {
        // One that a running program has deleted meanwhile is no error.
        let opened = match Files::open(&folder, &stem(&day, number)) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            opened => opened.map_err(failed)?,
        };
        let Some(segment) = opened else { continue };
        if segment.header.space != *query.space {
            searched.other_networks.push(day);
            continue;
        }
        files.push(segment);
    }
    let (compared, nearest) = compare_all(&files, query).map_err(failed)?;
    searched.compared = compared;
    searched.other_networks.dedup();
    searched.found = events(nearest, &files, query).map_err(failed)?;
    Ok(searched)
}

/// Compares the rows of all files on several threads; how many, and the best.
fn compare_all(files: &[Files], query: &Query<'_>) -> io::Result<(u64, BinaryHeap<Candidate>)> {
    let threads = available_parallelism().map_or(1, NonZeroUsize::get).min(MOST_THREADS);
    let each = files.len().div_ceil(threads).max(1);
    let part = |(part, files): (usize, &[Files])| {
        let mut nearest = BinaryHeap::new();
        let segments = files.iter().enumerate();
        let compared = segments.map(|(index, file)| compare(file, part * each + index, query, &mut nearest));
        Ok((compared.sum::<io::Result<u64>>()?, nearest))
    };
    let parts: Vec<io::Result<(u64, BinaryHeap<Candidate>)>> = thread::scope(|scope| {
        let part = &part;
        let parts = files.chunks(each).enumerate().map(|one| beside(scope, move || part(one)));
        let started: Vec<_> = parts.collect();
        started.into_iter().map(|wait| wait()).collect()
    });
    let (mut compared, mut nearest) = (0, BinaryHeap::new());
    for part in parts {
        let (number, candidates) = part?;
        compared += number;
        nearest.extend(candidates);
    }
    Ok((compared, nearest))
}

/// Compares every row that the query admits; the number of those. `nearest` keeps the best.
fn compare(
    segment: &Files,
    index: usize,
    query: &Query<'_>,
    nearest: &mut BinaryHeap<Candidate>,
) -> io::Result<u64> {
    let width = stride(segment.header.space.embedding);
    let sources: Vec<u32> = query.sources.iter().map(|name| hash(name)).collect();
    let labels: Vec<u32> = query.labels.iter().map(|name| hash(name)).collect();
    let admits = |hashes: &[u32], hash: u32| hashes.is_empty() || hashes.contains(&hash);
    // An event may have two rows, and names may share a hash.
    let most = query.most.saturating_mul(4);
    let rows = CHUNK / width;
    let mut buffer = vec![0; rows * width];
    let features_width = features_stride(segment.header.features);
    let mut features =
        vec![0; if matches!(query.vector, Sought::Example(_)) { rows * features_width } else { 0 }];
    let (mut compared, mut first) = (0, 0);
    loop {
        let read = fill(&segment.embeddings, &mut buffer, first * width as u64)? / width;
        if let (Sought::Example(_), Some(file)) = (&query.vector, &segment.features) {
            let length = fill(file, &mut features, first * features_width as u64)?;
            features.truncate(length);
        }
        for (at, bytes) in buffer.chunks_exact(width).take(read).enumerate() {
            let Some(row) = Row::of(bytes) else { continue };
            let there = row.scale > 0.0
                && query.times.contains(&row.time)
                && admits(&sources, row.source)
                && admits(&labels, row.label);
            let cosine = match &query.vector {
                _ if !there => None,
                Sought::Words(words) => {
                    let product = dot::of_bytes(&words.values, row.numbers);
                    Some(product as f32 * words.scale * row.scale)
                }
                Sought::Example(example) => {
                    let vector = features.chunks_exact(features_width).nth(at).and_then(features_of);
                    vector.map(|vector| vector.cosine(example))
                }
            };
            let Some(cosine) = cosine.filter(|cosine| cosine.is_finite()) else { continue };
            compared += 1;
            let candidate = Candidate { cosine, segment: index, row: first + at as u64 };
            if nearest.len() < most {
                nearest.push(candidate);
            } else if nearest.peek().is_some_and(|least| candidate < *least) {
                nearest.pop();
                nearest.push(candidate);
            }
        }
        if read < rows {
            return Ok(compared);
        }
        first += read as u64;
    }
}

/// The events of the rows that were found, the most similar first.
fn events(nearest: BinaryHeap<Candidate>, files: &[Files], query: &Query<'_>) -> io::Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    let mut known = HashMap::new();
    for candidate in nearest.into_sorted_vec() {
        let Some(segment) = files.get(candidate.segment) else { continue };
        let width = stride(segment.header.space.embedding);
        let mut bytes = vec![0; width];
        if fill(&segment.embeddings, &mut bytes, candidate.row * width as u64)? < width {
            continue;
        }
        let Some(row) = Row::of(&bytes) else { continue };
        let Some(seen) = line(&segment.lines, row.line)? else { continue };
        let admits =
            |names: &[String], name: &str| names.is_empty() || names.iter().any(|other| other == name);
        if !admits(&query.sources, &seen.source) || !admits(&query.labels, &seen.label) {
            continue;
        }
        if known.insert(seen.id.clone(), ()).is_none() && found.len() < query.most {
            let (embedding, objectness) = (row.vector(), row.objectness);
            found.push(Found { cosine: candidate.cosine, seen, embedding, objectness });
        }
    }
    Ok(found)
}

/// Reads until the buffer is full or the file ends: the number of bytes.
fn fill(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = buffer.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
