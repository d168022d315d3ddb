//! Events: objects that appear, leave, stay and cross lines; zones and scenes whose state changes.

mod area;
mod checks;
mod engine;
mod kind;
mod line;
mod object;
mod occupancy;
#[cfg(test)]
mod script;
mod settings;
mod shape;
mod smoothing;
mod state;
mod tags;
mod zone;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use area::{check as check_area, corners};
pub(crate) use engine::{Engine, Scene};
pub use kind::EventKind;
pub(crate) use settings::{Label, Line, Occupancy, Settings, Tags, Zone};

/// One event. Its time and source are those of the frame report it belongs to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A track was confirmed.
    Appear {
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
    },
    /// A track was lost.
    Disappear {
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
        /// How long it was there, until last visible.
        stayed: Duration,
    },
    /// A track entered a zone.
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
        /// How long it was in the zone.
        stayed: Duration,
    },
    /// A track has been in a zone for the zone's `dwell` time; reported once per visit.
    Dwell {
        /// The zone's name.
        zone: Arc<str>,
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
        /// How long it has been in the zone.
        stayed: Duration,
    },
    /// A track crossed a line.
    Cross {
        /// The line's name.
        line: Arc<str>,
        /// The track's id.
        track: u64,
        /// Its name.
        label: Arc<str>,
        /// True if from the left to the right of the line, looking from its first point to its second.
        forward: bool,
        /// How many tracks with this name have crossed forward so far.
        forwards: u64,
        /// How many have crossed backward so far.
        backwards: u64,
    },
    /// The number of objects with one name in a zone changed.
    Occupancy {
        /// The zone's name.
        zone: Arc<str>,
        /// The objects' name.
        label: Arc<str>,
        /// How many there are.
        count: u32,
        /// How many there were before.
        before: u32,
    },
    /// A zone with prompts changed its state to another of them.
    State {
        /// The zone's name.
        zone: Arc<str>,
        /// The prompt it now shows.
        state: Arc<str>,
        /// The previous state; `None` at the start.
        before: Option<Arc<str>>,
        /// Probability of the state, 0 to 1.
        probability: f32,
    },
    /// A tag of the scene appeared or disappeared.
    Tag {
        /// The tag's name.
        label: Arc<str>,
        /// Whether it appeared.
        present: bool,
        /// Probability of the tag, 0 to 1.
        score: f32,
    },
}

/// Time of a frame on the engine's clock, which never goes back.
#[derive(Debug, Clone, Copy)]
struct FrameTime {
    /// Time since the first frame.
    now: Duration,
    /// Time since the previous frame.
    step: Duration,
}

/// A zone or line for drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// The zone's or line's name.
    pub name: Arc<str>,
    /// Corners, in fractions of the picture's width and height.
    pub points: Vec<[f32; 2]>,
    /// Whether the last corner is joined to the first, as for zones.
    pub closed: bool,
    /// The zone's state, if it has prompts and a state has been reported.
    pub state: Option<Arc<str>>,
}
