//! Settings of the tracker.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How objects are tracked. Lengths are in sizes: a size is the side of the square with the box's area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// Frames in which an object must be seen before it is reported, 1 to 100.
    pub confirm_hits: u32,
    /// Seconds out of sight after which a track ends, 0 to 3600. However slow the camera, a track that was
    /// seen in the previous frame does not end.
    pub lost_seconds: f32,
    /// Minimum IoU of a track's expected box and a confident observation, 0 to 1.
    pub min_iou: f32,
    /// Same for an observation below its threshold, 0 to 1.
    pub min_iou_weak: f32,
    /// Maximum distance of a confident observation that overlaps no track from where a track's centre is
    /// expected, in standard deviations, 0 to 10; 0 leaves such observations to new tracks. In pixels it
    /// grows with the time since the track was seen.
    pub gate: f32,
    /// Maximum of the same distance in sizes, 0 to 100.
    pub reach: f32,
    /// Weight of similar appearance relative to IoU where several pairs overlap, 0 to 1; 0
    /// ignores embeddings.
    pub embedding_weight: f32,
    /// Minimum cosine similarity of embeddings for boxes that do not overlap, -1 to 1.
    pub min_similarity: f32,
    /// Standard deviation of a detected edge, in sizes, 0.001 to 1.
    pub box_noise: f32,
    /// Standard deviation of the initial speed of objects, in sizes per second, 0 to 100.
    pub speed: f32,
    /// How much speeds change: standard deviation after one second, in sizes per second, 0 to 100.
    pub acceleration: f32,
    /// How much boxes wander in addition, from a shaking camera: standard deviation after one second,
    /// in sizes, 0 to 100.
    pub shake: f32,
    /// Number of observations after which a vote for a name has lost half its weight, 1 to 100000.
    pub vote_half_life: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            confirm_hits: 3,
            lost_seconds: 2.0,
            min_iou: 0.3,
            min_iou_weak: 0.3,
            gate: 4.0,
            reach: 4.0,
            embedding_weight: 0.3,
            min_similarity: 0.6,
            box_noise: 0.1,
            speed: 2.0,
            acceleration: 2.0,
            shake: 0.1,
            vote_half_life: 30.0,
        }
    }
}

impl Settings {
    /// Checks that every value is in its range.
    ///
    /// # Errors
    /// [`Error::Settings`] that names the first value out of range.
    pub(crate) fn check(&self) -> Result<()> {
        if !(1..=100).contains(&self.confirm_hits) {
            return Err(Error::settings("confirm_hits", self.confirm_hits.to_string(), "1 to 100"));
        }
        let ranges = [
            ("lost_seconds", self.lost_seconds, 0.0, 3600.0),
            ("min_iou", self.min_iou, 0.0, 1.0),
            ("min_iou_weak", self.min_iou_weak, 0.0, 1.0),
            ("gate", self.gate, 0.0, 10.0),
            ("reach", self.reach, 0.0, 100.0),
            ("embedding_weight", self.embedding_weight, 0.0, 1.0),
            ("min_similarity", self.min_similarity, -1.0, 1.0),
            ("box_noise", self.box_noise, 0.001, 1.0),
            ("speed", self.speed, 0.0, 100.0),
            ("acceleration", self.acceleration, 0.0, 100.0),
            ("shake", self.shake, 0.0, 100.0),
            ("vote_half_life", self.vote_half_life, 1.0, 100_000.0),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::settings(name, value.to_string(), format!("{least} to {most}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_their_ranges() {
        Settings::default().check().unwrap();
        assert_eq!(toml::from_str::<Settings>("").unwrap(), Settings::default());
    }

    #[test]
    fn out_of_range_values_are_named() {
        for (line, expected) in [
            ("confirm_hits = 0", "confirm_hits: found 0, expected 1 to 100"),
            ("lost_seconds = -1.0", "lost_seconds: found -1, expected 0 to 3600"),
            ("gate = nan", "gate: found NaN, expected 0 to 10"),
            ("min_similarity = 1.5", "min_similarity: found 1.5, expected -1 to 1"),
            ("box_noise = 0.0", "box_noise: found 0, expected 0.001 to 1"),
        ] {
            let settings: Settings = toml::from_str(line).unwrap();
            assert_eq!(settings.check().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(toml::from_str::<Settings>("min_iuo = 0.3").is_err());
    }
}
