//! What others may ask of a running loop.

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
}

/// Does what a command says, without waiting for it to be done.
pub(crate) type Obey = Box<dyn Fn(Command) + Send + Sync>;
