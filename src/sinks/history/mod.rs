//! What was seen, kept as vectors to be searched by a sentence or a picture: no pixels.
//!
//! A folder holds three files a day, and more where the networks have changed: lines of JSON
//! (`2026-11-22.history.jsonl`), and in the same order rows of fixed length with the embedding that words are
//! compared with (`….embeddings`) and the vector that examples are compared with (`….features`). A search reads
//! the rows, and the lines of what it has found. docs/search.md describes the files.

mod age;
mod forget;
mod log;
mod recall;
mod row;
mod search;
mod segment;
mod span;

use std::path::Path;

use self::log::HistoryLog;
use super::Sink;
use crate::error::Result;
use crate::report::FrameReport;

pub(crate) use forget::{Forgotten, forget};
pub(crate) use log::HistoryLimits;
pub(crate) use recall::{RecallQuery, Recalled, recall};
pub(crate) use search::{Found, Query, Searched, Sought, search};
pub(crate) use segment::Seen;
pub(crate) use span::span;

/// Keeps what every confirmed track looks like.
pub(crate) struct History {
    name: String,
    log: HistoryLog,
    idle: bool,
}

impl History {
    /// Opens the folder, which is created if it does not exist.
    ///
    /// # Errors
    /// [`crate::error::Error::Device`] if it cannot be created or read.
    pub(crate) fn open(folder: &Path, limits: HistoryLimits) -> Result<Self> {
        let log = HistoryLog::open(folder, limits)?;
        Ok(Self { name: folder.display().to_string(), log, idle: true })
    }
}

impl Sink for History {
    fn name(&self) -> &str {
        &self.name
    }

    fn was_idle(&self) -> bool {
        self.idle
    }

    fn take(&mut self, report: &FrameReport) -> Result<()> {
        self.idle = report.sightings.is_empty();
        report.sightings.iter().try_for_each(|sighting| self.log.add(&report.source, sighting))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
