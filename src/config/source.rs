//! Settings of one source.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::events;
use crate::privacy::Mask;

/// One camera, recording or stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SourceSettings {
    /// A device, a path, a pattern, a URL, or `-` for standard input.
    pub url: String,
    /// What results and messages call it; else its URL without password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Pixel format of a camera (a four-character code) or of raw frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_format: Option<String>,
    /// Size of its pictures, `WIDTHxHEIGHT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Bytes from row to row of raw frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Frame rate of a camera, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera_fps: Option<u32>,
    /// Wait for new files in a folder.
    pub follow: bool,
    /// Start over at the end of a recording.
    pub repeat: bool,
    /// Play a recording at its own rate.
    pub real_time: bool,
    /// Seconds without a frame after which a camera is started or connected anew, and a pipe told of: else 10,
    /// and 5 for a camera of this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall_seconds: Option<u32>,
    /// Who vouches for an `https://` camera: a file of certificates (PEM); else those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Controls of a camera by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub control: BTreeMap<String, Control>,
    /// Its own zones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zone: Vec<events::Zone>,
    /// Its own lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub line: Vec<events::Line>,
    /// What is black in its frames, besides the masks of all sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mask: Vec<Mask>,
}

/// A control's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Control {
    /// A switch.
    Switch(bool),
    /// A number.
    Number(i64),
    /// An entry of a menu.
    Entry(String),
}
