//! Values other than numbers and paths.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Lowest score of what is pixelated: half of what is reported by default, since one clear picture tells all.
pub(crate) const BLUR_THRESHOLD: f32 = 0.1;

/// Prompts in either notation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Prompts {
    /// A comma list, or `@FILE`.
    List(String),
    /// One prompt each.
    Each(Vec<String>),
}

/// What goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// JSON Lines.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// Annotated frames.
    Mjpeg,
    /// Nothing.
    None,
}

/// How often each source's frames are looked at: `"auto"`, or a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// As often as the machine can.
    Auto,
    /// This many times per second.
    Fps(f32),
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Fps(fps) => serializer.serialize_f32(*fps),
        }
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = toml::Value::deserialize(deserializer)?;
        let number = match &value {
            toml::Value::String(text) if text == "auto" => return Ok(Self::Auto),
            toml::Value::Integer(number) => Some(*number as f32),
            toml::Value::Float(number) => Some(*number as f32),
            _ => None,
        };
        let fps = number.filter(|fps| (0.01..=1000.0).contains(fps));
        // Found and expected, as in our own errors.
        let refusal = || format!("fps = {value}, expected auto, or looks a second from 0.01 to 1000");
        fps.map(Self::Fps).ok_or_else(|| serde::de::Error::custom(refusal()))
    }
}
