//! What happens: things that come, go, stay and cross lines, zones that change their state, scenes that change.

mod checks;
mod engine;
mod hold;
mod kind;
mod line;
mod occupancy;
#[cfg(test)]
mod script;
mod settings;
mod shape;
mod state;
mod tags;
mod thing;
mod zone;

use std::sync::Arc;
use std::time::Duration;

pub use engine::{Engine, Scene, StateZone};
pub use kind::EventKind;
pub use settings::{Anchor, Label, Line, Occupancy, Settings, Tags, Zone};

/// One thing that happened. When and in which source stands in the moment that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A track was confirmed.
    Appear {
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
    },
    /// A track is lost.
    Disappear {
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
        /// How long it was there.
        stayed: Duration,
    },
    /// A track came into a zone.
    Enter {
        /// The zone's name.
        zone: Arc<str>,
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
    },
    /// A track left a zone.
    Leave {
        /// The zone's name.
        zone: Arc<str>,
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
        /// How long it was in it.
        stayed: Duration,
    },
    /// A track has been in a zone for as long as the zone's `dwell`; told once a visit.
    Dwell {
        /// The zone's name.
        zone: Arc<str>,
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
        /// How long it has been in it.
        stayed: Duration,
    },
    /// A track went over a line.
    Cross {
        /// The line's name.
        line: Arc<str>,
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
        /// From the left to the right of the line, seen from its first point to its second.
        forward: bool,
        /// How many tracks of this name have crossed forward so far.
        forwards: u64,
        /// How many have crossed backward.
        backwards: u64,
    },
    /// The number of things of one name in a zone changed.
    Occupancy {
        /// The zone's name.
        zone: Arc<str>,
        /// The things' name.
        label: Arc<str>,
        /// How many there are.
        count: u32,
        /// How many there were.
        before: u32,
    },
    /// A zone with prompts shows another of them.
    State {
        /// The zone's name.
        zone: Arc<str>,
        /// The prompt that it shows.
        state: Arc<str>,
        /// The one before; `None` at the start.
        before: Option<Arc<str>>,
        /// Probability of the state, 0 to 1.
        probability: f32,
    },
    /// A tag of the scene came or went.
    Tag {
        /// The tag's name.
        label: Arc<str>,
        /// Whether it came.
        present: bool,
        /// Probability of the tag, 0 to 1.
        score: f32,
    },
}

/// A zone or line as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// The zone's or line's name.
    pub name: Arc<str>,
    /// Corners, in fractions of the picture's width and height.
    pub points: Vec<[f32; 2]>,
    /// Whether the last corner joins the first: a zone.
    pub closed: bool,
    /// What the zone shows, if it has prompts and shows one of them.
    pub state: Option<Arc<str>>,
}
