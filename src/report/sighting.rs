//! What a track looks like in its best look so far: vectors, no pixels.

use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::geometry::Rect;
use crate::model::{FEATURES, FeatureVector, Manifest, PROMPT, TEXT, VISION};

/// A track with the vectors of the look that shows it best.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sighting {
    /// What its vectors may be compared with.
    pub space: Arc<VectorSpace>,
    /// Id of the track.
    pub track: u64,
    /// When the track was confirmed: with source and track, it tells the event.
    pub appeared: SystemTime,
    /// When it looked like this.
    pub time: SystemTime,
    /// The source's count of frames then.
    pub frame: u64,
    /// Name, decided by a vote over the looks so far.
    pub label: Arc<str>,
    /// Probability that the name is right, 0 to 1.
    pub score: f32,
    /// Where it was, in pixels of the picture.
    pub rect: Rect,
    /// Logit of its being a thing at all.
    pub objectness: f32,
    /// What words are compared with.
    pub embedding: FeatureVector,
    /// What examples are compared with; `None` where the model knows words alone.
    pub features: Option<FeatureVector>,
}

/// The networks that made vectors: sha256 in lower-case hexadecimal, empty where there is none. Vectors of
/// different networks cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VectorSpace {
    /// Of the vision network.
    pub vision_sha256: String,
    /// Of the region prompter.
    pub prompt_sha256: String,
    /// Of the text tower.
    pub text_sha256: String,
    /// Of what standardises and projects features.
    pub features_sha256: String,
    /// Numbers of an embedding.
    pub embedding: usize,
}

impl VectorSpace {
    /// That of the model with this manifest.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let hash =
            |file: &str| manifest.files.get(file).map_or(String::new(), |hash| hash.to_ascii_lowercase());
        Self {
            vision_sha256: hash(VISION),
            prompt_sha256: hash(PROMPT),
            text_sha256: hash(TEXT),
            features_sha256: manifest.examples.as_ref().map_or(String::new(), |_| hash(FEATURES)),
            embedding: manifest.embedding,
        }
    }

    /// Eight hexadecimal digits that stand for it.
    pub(crate) fn digits(&self) -> String {
        let Self { vision_sha256, prompt_sha256, text_sha256, features_sha256, embedding } = self;
        let all = [vision_sha256, prompt_sha256, text_sha256, features_sha256].map(String::as_str).join(" ");
        let hash = Sha256::digest(format!("{all} {embedding}").as_bytes());
        hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}
