//! What others may ask of a running loop.

use std::sync::Arc;

use crate::error::Result;
use crate::events::{Line, Zone};
use crate::privacy::Mask;

/// Something to change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    /// Look for these instead: a comma list; empty for those of the configuration.
    Prompts(String),
    /// Look for what is in this file instead, which lies beside the vocabulary of the configuration; empty for that
    /// one.
    Vocabulary(String),
    /// Lowest score to report of one label, 0 to 1.
    Threshold {
        /// The label.
        label: String,
        /// The score.
        score: f32,
    },
    /// Look at a source, or pause.
    Detect {
        /// Its place among the sources.
        source: usize,
        /// Whether to look.
        on: bool,
    },
    /// Watch other places in the pictures of a source.
    #[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "nobody draws"))]
    Places {
        /// Its place among the sources.
        source: usize,
        /// What to watch.
        places: Places,
    },
}

/// Zones, lines and masks; each list replaces the one before as a whole, and one that is missing leaves it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Places {
    /// Areas in which things come, go and stay.
    pub zones: Option<Vec<Zone>>,
    /// Lines that are crossed.
    pub lines: Option<Vec<Line>>,
    /// Areas that are black.
    pub masks: Option<Vec<Mask>>,
}

/// Is told what came of a command.
pub(crate) type Heard = Box<dyn FnOnce(Result<()>) + Send>;

/// Does what a command says, without waiting for it to be done.
pub(crate) type Obey = Arc<dyn Fn(Command, Heard) + Send + Sync>;
