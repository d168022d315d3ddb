//! Settings of zones, lines and tags, as tables of the configuration.

use serde::{Deserialize, Serialize};

/// Everything that [`super::Engine`] evaluates. Coordinates are fractions of the picture's width
/// and height, 0 to 1.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Areas: `[[zone]]`.
    #[serde(rename = "zone")]
    pub zones: Vec<Zone>,
    /// Lines that are crossed: `[[line]]`.
    #[serde(rename = "line")]
    pub lines: Vec<Line>,
    /// How objects in zones are counted: `[occupancy]`.
    pub occupancy: Occupancy,
    /// Settings of one name: `[[label]]`.
    #[serde(rename = "label")]
    pub labels: Vec<Label>,
    /// Tags of the whole picture: `[scene]`.
    pub scene: Tags,
}

/// An area in which objects come, go and stay, or whose own state changes.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Zone {
    /// Its name in events.
    pub name: String,
    /// Corners `[x, y]` of a polygon that does not cross itself; empty if `box` is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<[f32; 2]>,
    /// A rectangle `[x0, y0, x1, y1]` instead of `points`.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub rect: Option<[f32; 4]>,
    /// Names of objects that count; empty for all.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Which point of an object's box must be inside.
    #[serde(default)]
    pub anchor: Anchor,
    /// Seconds after which a stay is reported, once per visit; `None` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwell: Option<f64>,
    /// Smallest box that counts, as a fraction of the picture's area.
    #[serde(default)]
    pub min_area: f32,
    /// How far outside an object must be to have left.
    #[serde(default = "jitter")]
    pub jitter: f32,
    /// The zone's state is which of these it shows: none, or two or more. `name = prompt` sets another name.
    #[serde(default)]
    pub prompts: Vec<String>,
    /// How much the probability of a new state must exceed the second best.
    #[serde(default = "margin")]
    pub margin: f32,
    /// Time constant in seconds over which prompt probabilities are averaged.
    #[serde(default = "smoothing")]
    pub smoothing: f64,
    /// Seconds for which a new state must hold.
    #[serde(default = "hold")]
    pub debounce: f64,
}

/// A directed line that objects cross.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    /// Its name in events.
    pub name: String,
    /// Start point.
    pub from: [f32; 2],
    /// End point.
    pub to: [f32; 2],
    /// Names of objects that count; empty for all.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Which point of an object's box must cross.
    #[serde(default)]
    pub anchor: Anchor,
    /// How far beyond the line an object must be to have crossed it.
    #[serde(default = "jitter")]
    pub jitter: f32,
}

/// The point of a box that defines an object's position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Anchor {
    /// Middle of the lower edge: where people and cars touch the ground.
    #[default]
    Bottom,
    /// Centre of the box.
    #[serde(alias = "center")]
    Centre,
}

/// How objects in zones are counted.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Occupancy {
    /// Counts, and scores of tracks, are medians over this many frames on which the detector
    /// ran: an odd number.
    pub frames: usize,
}

impl Default for Occupancy {
    fn default() -> Self {
        Self { frames: 5 }
    }
}

/// Settings of one name, for all zones, lines and tags.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Label {
    /// The name.
    pub name: String,
    /// Lowest score of an object that counts; for a tag, replaces `on`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// Smallest box that counts, as a fraction of the picture's area.
    #[serde(default)]
    pub min_area: f32,
}

/// When a tag of the whole picture appears and disappears.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tags {
    /// Names of tags that are watched; empty for all.
    pub tags: Vec<String>,
    /// Probability from which a tag appears.
    pub on: f32,
    /// Probability below which it disappears.
    pub off: f32,
    /// Seconds for which the new state must hold.
    pub hold: f64,
    /// Time constant in seconds over which probabilities are averaged.
    pub smoothing: f64,
}

impl Default for Tags {
    fn default() -> Self {
        Self { tags: Vec::new(), on: 0.5, off: 0.3, hold: hold(), smoothing: smoothing() }
    }
}

fn jitter() -> f32 {
    0.02
}

fn margin() -> f32 {
    0.2
}

fn smoothing() -> f64 {
    0.5
}

fn hold() -> f64 {
    2.0
}
