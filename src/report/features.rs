//! What the object of an event looks like, to a model that compares examples.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::rounded;
use crate::geometry::Rect;
use crate::model::{FeatureVector, SpaceId};

/// A feature vector with its space, and the box that it is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FeatureRecord {
    /// Hashes that tell the space.
    vision_sha256: String,
    /// As above.
    prompt_sha256: String,
    /// As above.
    features_sha256: String,
    /// Pixels of the picture; `None` for the whole.
    #[serde(rename = "box")]
    pub rect: Option<[f32; 4]>,
    /// Value k is the int8 number k times this.
    scale: f32,
    /// The numbers in base64.
    int8: String,
}

impl FeatureRecord {
    /// The record of what is in a box, or in the whole picture.
    pub(crate) fn new(space: &SpaceId, vector: &FeatureVector, rect: Option<Rect>) -> Self {
        let SpaceId { vision_sha256, prompt_sha256, features_sha256 } = space.clone();
        let edge = |value: f32| rounded(value, 1) as f32;
        let rect = rect.map(|rect| [rect.x0, rect.y0, rect.x1, rect.y1].map(edge));
        let bytes: Vec<u8> = vector.values.iter().map(|value| value.cast_unsigned()).collect();
        let (scale, int8) = (vector.scale, STANDARD.encode(bytes));
        Self { vision_sha256, prompt_sha256, features_sha256, rect, scale, int8 }
    }

    /// Space and vector; `None` if it is no unit vector.
    pub(crate) fn decoded(&self) -> Option<(SpaceId, FeatureVector)> {
        let bytes = STANDARD.decode(&self.int8).ok()?;
        let values: Vec<i8> = bytes.into_iter().map(|byte| byte.cast_signed()).collect();
        let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt() * f64::from(self.scale);
        let finite = self.rect.is_none_or(|rect| rect.iter().all(|edge| edge.is_finite()));
        if !(0.9..=1.1).contains(&norm) || values.contains(&i8::MIN) || !finite {
            return None;
        }
        let (vision_sha256, prompt_sha256, features_sha256) =
            (self.vision_sha256.clone(), self.prompt_sha256.clone(), self.features_sha256.clone());
        Some((
            SpaceId { vision_sha256, prompt_sha256, features_sha256 },
            FeatureVector { values, scale: self.scale },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_read_back_and_other_things_are_not() {
        let hash = |digit: &str| digit.repeat(64);
        let space =
            SpaceId { vision_sha256: hash("a"), prompt_sha256: hash("b"), features_sha256: hash("c") };
        let vector = FeatureVector::quantised(&[1.0, -2.0, 0.5]).unwrap();
        let rect = Some(Rect { x0: 1.26, y0: 2.0, x1: 30.0, y1: 40.0 });
        let record = FeatureRecord::new(&space, &vector, rect);
        let json = serde_json::to_string(&record).unwrap();
        assert!(json.contains(r#""box":[1.3,2.0,30.0,40.0]"#) && json.contains(r#""int8":"QIEg""#), "{json}");
        let again: FeatureRecord = serde_json::from_str(&json).unwrap();
        assert_eq!(again.decoded(), Some((space, vector)));
        for bad in [
            FeatureRecord { scale: 1.0, ..again.clone() },
            FeatureRecord { scale: f32::NAN, ..again.clone() },
            FeatureRecord { int8: "*".into(), ..again.clone() },
            FeatureRecord { int8: String::new(), ..again.clone() },
            FeatureRecord { rect: Some([f32::NAN; 4]), ..again },
        ] {
            assert_eq!(bad.decoded(), None, "{bad:?}");
        }
    }
}
