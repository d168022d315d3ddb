//! The three files of a day: lines that say what was seen, and rows of vectors in the same order.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};

use super::row::{Row, features_row, features_stride, hash, milliseconds, stride, unsigned};
use crate::report::{Sighting, VectorSpace, rounded};
use crate::sinks::clock::{unix, utc};
use crate::sinks::files::PRIVATE;
use crate::sinks::snapshots::plain;
use crate::system::{FileId, Folder};

/// Suffix of the lines; the first one describes the files.
pub(super) const LINES: &str = ".history.jsonl";
/// Suffixes of the vectors.
pub(super) const EMBEDDINGS: &str = ".embeddings";
/// As above.
pub(super) const FEATURES: &str = ".features";
/// What the first line says of itself.
const TYPE: &str = "history";
const VERSION: u32 = 1;
/// More than any line of ours has, in bytes.
const LONGEST: u64 = 1 << 16;

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    r#type: String,
    version: u32,
    #[serde(flatten)]
    pub space: VectorSpace,
    /// Numbers of a vector that examples are compared with; 0 for none.
    pub features: usize,
    /// Its place among all segments, in the order in which they are begun; 0 in files of old.
    #[serde(default)]
    pub sequence: u64,
}

impl Header {
    /// That of files in which a sighting fits.
    fn of(sighting: &Sighting, sequence: u64) -> Self {
        let features = sighting.features.as_ref().map_or(0, |vector| vector.values.len());
        let space = (*sighting.space).clone();
        Self { r#type: TYPE.to_owned(), version: VERSION, space, features, sequence }
    }

    /// Whether a sighting belongs into these files.
    fn takes(&self, sighting: &Sighting) -> bool {
        let features = sighting.features.as_ref().map_or(self.features, |vector| vector.values.len());
        self.space == *sighting.space && self.features == features
    }
}

/// One line: what was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Tells the event from all others: `2026-11-22T06-00-00.123Z_gate_12`.
    pub id: String,
    /// Seconds since 1970 with 3 decimals.
    pub time: f64,
    /// Name of the source.
    pub source: String,
    /// The source's count of frames.
    pub frame: u64,
    /// Id of the track.
    pub track: u64,
    /// Its name.
    pub label: String,
    /// Probability of the name, 0 to 1.
    pub label_score: f64,
    /// x0, y0, x1, y1 in pixels.
    pub r#box: [f64; 4],
}

impl Seen {
    fn of(source: &str, sighting: &Sighting) -> Self {
        let appeared = utc(sighting.appeared).replace(':', "-");
        let edge = |value: f32| rounded(value, 1);
        let rect = sighting.rect;
        Self {
            id: format!("{appeared}_{}_{}", plain(source), sighting.track),
            time: unix(sighting.time),
            source: source.to_owned(),
            frame: sighting.frame,
            track: sighting.track,
            label: sighting.label.to_string(),
            label_score: rounded(sighting.score, 4),
            r#box: [edge(rect.x0), edge(rect.y0), edge(rect.x1), edge(rect.y1)],
        }
    }
}

/// The name of a file of a segment.
pub(super) fn file(stem: &str, ending: &str) -> OsString {
    OsString::from(format!("{stem}{ending}"))
}

/// `2026-11-22` of a segment's name `2026-11-22` or `2026-11-22-3`, and its number there; `None` for other
/// names.
pub(super) fn day_of(stem: &str) -> Option<(&str, u32)> {
    let day = stem.get(..10)?;
    let form = day.bytes().zip(b"0000-00-00");
    let is_day =
        form.clone().all(|(byte, form)| if *form == b'0' { byte.is_ascii_digit() } else { byte == *form });
    let number = match stem.get(10..)? {
        "" => Some(1),
        rest => rest.strip_prefix('-')?.parse().ok().filter(|number| *number > 1),
    };
    number.filter(|_| is_day).map(|number| (day, number))
}

/// The first line of a segment; `None` if that is none of ours.
pub(super) fn header(folder: &Folder, stem: &str) -> io::Result<Option<Header>> {
    let mut first = Vec::new();
    BufReader::new(folder.read(&file(stem, LINES))?.take(LONGEST)).read_until(b'\n', &mut first)?;
    let header: Option<Header> = serde_json::from_slice(&first).ok();
    Ok(header.filter(|header| header.r#type == TYPE && header.version == VERSION))
}

/// The line that begins at `at`; `None` if it says nothing, as one does that was forgotten.
pub(super) fn line(lines: &File, at: u64) -> io::Result<Option<Seen>> {
    let mut bytes = vec![0; 4096];
    let length = lines.read_at(&mut bytes, at)?;
    let read = bytes.get(..length).unwrap_or_default();
    let line = read.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(serde_json::from_slice(line).ok())
}

/// A segment that is being written.
#[derive(Debug)]
pub(super) struct Segment {
    header: Header,
    lines: File,
    embeddings: File,
    features: Option<File>,
    /// Bytes of the lines.
    end: u64,
    rows: u64,
}

impl Segment {
    /// Makes the files of a new one, into which `sighting` fits. An error of kind `AlreadyExists` if there is one
    /// of that name.
    pub(super) fn create(
        folder: &Folder,
        stem: &str,
        sighting: &Sighting,
        sequence: u64,
    ) -> io::Result<Self> {
        let header = Header::of(sighting, sequence);
        let mut lines = folder.create_to_append(&file(stem, LINES), PRIVATE)?;
        let mut first = serde_json::to_vec(&header)?;
        first.push(b'\n');
        lines.write_all(&first)?;
        let vectors = |ending| folder.create_to_append(&file(stem, ending), PRIVATE);
        let embeddings = vectors(EMBEDDINGS)?;
        let features = (header.features > 0).then(|| vectors(FEATURES)).transpose()?;
        Ok(Self { header, lines, embeddings, features, end: first.len() as u64, rows: 0 })
    }

    /// Opens one for more. What was written half is cut off; `None` if it is none of ours, of other networks, or
    /// damaged.
    pub(super) fn resume(folder: &Folder, stem: &str, sighting: &Sighting) -> io::Result<Option<Self>> {
        let Some(header) = header(folder, stem)?.filter(|header| header.takes(sighting)) else {
            return Ok(None);
        };
        let vectors = |ending| folder.append(&file(stem, ending));
        let lines = folder.append(&file(stem, LINES))?;
        let embeddings = vectors(EMBEDDINGS)?;
        let features = (header.features > 0).then(|| vectors(FEATURES)).transpose()?;
        let (count, end) = complete_lines(&lines)?;
        let rows = count.saturating_sub(1);
        let mut segment = Self { header, lines, embeddings, features, end, rows };
        if segment.least_rows()? < rows {
            return Ok(None);
        }
        segment.cut()?;
        Ok(Some(segment))
    }

    /// Whether a sighting fits into it.
    pub(super) fn takes(&self, sighting: &Sighting) -> bool {
        self.header.takes(sighting)
    }

    /// Adds a sighting: all of it or nothing. The number of bytes.
    pub(super) fn append(&mut self, source: &str, sighting: &Sighting) -> io::Result<u64> {
        let mut line = serde_json::to_vec(&Seen::of(source, sighting))?;
        line.push(b'\n');
        let numbers: Vec<u8> = unsigned(&sighting.embedding.values).collect();
        let row = Row {
            line: self.end,
            time: milliseconds(sighting.time),
            source: hash(source),
            label: hash(&sighting.label),
            objectness: sighting.objectness,
            scale: sighting.embedding.scale,
            numbers: &numbers,
        };
        let (row, features) =
            (row.to_bytes(), features_row(sighting.features.as_ref(), self.header.features));
        let written = self.embeddings.write_all(&row).and_then(|()| {
            self.features.as_mut().map_or(Ok(()), |file| file.write_all(&features))?;
            // Last: a row without its line does not count.
            self.lines.write_all(&line)
        });
        if let Err(error) = written {
            self.cut()?;
            return Err(error);
        }
        self.end += line.len() as u64;
        self.rows += 1;
        Ok((line.len() + row.len() + if self.features.is_some() { features.len() } else { 0 }) as u64)
    }

    /// Bytes of its files.
    pub(super) fn bytes(&self) -> u64 {
        let features = if self.features.is_some() { features_stride(self.header.features) as u64 } else { 0 };
        self.end + self.rows * (stride(self.header.space.embedding) as u64 + features)
    }

    /// Whether its files are still the ones of that name.
    pub(super) fn is_there(&self, folder: &Folder, stem: &str) -> io::Result<bool> {
        let own = self.lines.metadata()?;
        let there = folder.about(&file(stem, LINES))?;
        Ok(there.is_some_and(|there| FileId::of(&there) == FileId::of(&own)))
    }

    /// Cuts off what is not a whole entry.
    fn cut(&mut self) -> io::Result<()> {
        self.lines.set_len(self.end)?;
        self.embeddings.set_len(self.rows * stride(self.header.space.embedding) as u64)?;
        let length = self.rows * features_stride(self.header.features) as u64;
        self.features.as_ref().map_or(Ok(()), |file| file.set_len(length))
    }

    /// Rows that both files of vectors have.
    fn least_rows(&self) -> io::Result<u64> {
        let rows = |file: &File, stride: usize| Ok::<u64, io::Error>(file.metadata()?.len() / stride as u64);
        let embeddings = rows(&self.embeddings, stride(self.header.space.embedding))?;
        let features = self.features.as_ref();
        let features = features.map(|file| rows(file, features_stride(self.header.features))).transpose()?;
        Ok(features.map_or(embeddings, |features| features.min(embeddings)))
    }
}

/// Number of lines that end, and where the last one does.
fn complete_lines(file: &File) -> io::Result<(u64, u64)> {
    let (mut lines, mut end, mut at) = (0, 0, 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok((lines, end)),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        for (index, _) in buffer.iter().take(length).enumerate().filter(|(_, byte)| **byte == b'\n') {
            lines += 1;
            end = at + index as u64 + 1;
        }
        at += length as u64;
    }
}
