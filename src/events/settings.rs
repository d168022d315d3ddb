//! What to watch for, as tables of the configuration.

use serde::{Deserialize, Serialize};

/// Everything that [`super::Engine`] watches for. Places are fractions of the picture's width and height, from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Areas: `[[zone]]`.
    #[serde(rename = "zone")]
    pub zones: Vec<Zone>,
    /// Lines that are crossed: `[[line]]`.
    #[serde(rename = "line")]
    pub lines: Vec<Line>,
    /// How things in zones are counted: `[occupancy]`.
    pub occupancy: Occupancy,
    /// What holds for one name: `[[label]]`.
    #[serde(rename = "label")]
    pub labels: Vec<Label>,
    /// Tags of the whole picture: `[scene]`.
    pub scene: Tags,
}

/// An area in which things come, go and stay, or which itself changes.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// What events call it.
    pub name: String,
    /// Corners `[x, y]` of a polygon that does not cross itself; empty where there is a `box`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<[f32; 2]>,
    /// A rectangle `[x0, y0, x1, y1]` in place of `points`.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub rect: Option<[f32; 4]>,
    /// Names of things that count; none: all.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Which point of a thing's box must be inside.
    #[serde(default)]
    pub anchor: Anchor,
    /// Seconds after which a stay is told, once a visit; never, if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwell: Option<f64>,
    /// Smallest box that counts, as fraction of the picture's area.
    #[serde(default)]
    pub min_area: f32,
    /// How far a thing must be outside to have left.
    #[serde(default = "jitter")]
    pub jitter: f32,
    /// The zone's state is which of these it shows: none, or two or more. `name = prompt` gives another name.
    #[serde(default)]
    pub prompts: Vec<String>,
    /// By how much the probability of a state must exceed that of the second.
    #[serde(default = "margin")]
    pub margin: f32,
    /// Time constant in seconds over which probabilities of prompts are averaged.
    #[serde(default = "smoothing")]
    pub smoothing: f64,
    /// Seconds for which a new state must hold.
    #[serde(default = "hold")]
    pub debounce: f64,
}

/// A line from one point to another that things cross.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What events call it.
    pub name: String,
    /// Where it begins.
    pub from: [f32; 2],
    /// Where it ends.
    pub to: [f32; 2],
    /// Names of things that count; none: all.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Which point of a thing's box crosses.
    #[serde(default)]
    pub anchor: Anchor,
    /// How far behind the line a thing must be to have crossed it.
    #[serde(default = "jitter")]
    pub jitter: f32,
}

/// The point of a box that says where a thing is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Anchor {
    /// Middle of the lower edge: where people and cars touch the ground.
    #[default]
    Bottom,
    /// Centre of the box.
    #[serde(alias = "center")]
    Centre,
}

/// How things in zones are counted.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Occupancy {
    /// Counts are medians over so many frames that were looked at, as are the scores of tracks: odd.
    pub frames: usize,
}

impl Default for Occupancy {
    fn default() -> Self {
        Self { frames: 5 }
    }
}

/// What holds for one name, in all zones, lines and tags.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The name.
    pub name: String,
    /// Lowest score of a thing that counts; of a tag, what `on` is for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// Smallest box that counts, as fraction of the picture's area.
    #[serde(default)]
    pub min_area: f32,
}

/// When a tag of the whole picture comes and goes.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tags {
    /// Names that are watched; none: all.
    pub tags: Vec<String>,
    /// Probability from which a tag comes.
    pub on: f32,
    /// Probability below which it goes.
    pub off: f32,
    /// Seconds for which it must be so.
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
