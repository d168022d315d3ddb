//! What is known of a name besides words and examples.

use serde::{Deserialize, Serialize};

/// What kind of thing a name stands for, which decides where it is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Something with a place in the picture: boxes, and tags as well
    #[default]
    Thing,
    /// Something that the whole picture shows: tags alone
    Tag,
    /// How a place looks, for the prompts of a zone alone
    State,
}

/// How a name is used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Entry {
    /// Where it is looked for.
    pub kind: Kind,
    /// Whether it only competes with the others and is never reported: "statue" beside "person".
    pub hidden: bool,
    /// Lowest score worth reporting, 0 to 1; `None` leaves it to the model.
    pub threshold: Option<f32>,
}

impl Entry {
    /// Whether boxes of it are reported.
    pub(crate) fn has_boxes(&self) -> bool {
        !self.hidden && self.kind == Kind::Thing
    }

    /// Whether anything of it is reported.
    pub(crate) fn is_reported(&self) -> bool {
        !self.hidden && self.kind != Kind::State
    }

    /// Whether it is an alternative to others.
    pub(super) fn competes(&self) -> bool {
        self.kind != Kind::State
    }
}
