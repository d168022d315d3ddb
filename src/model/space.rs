//! Which networks a feature vector belongs to.

use super::bundle::{FEATURES, PROMPT, VISION};
use super::manifest::Manifest;

/// Which networks a feature vector belongs to: sha256 in lower-case hexadecimal. Vectors of different spaces
/// cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpaceId {
    /// Of the vision network.
    pub vision_sha256: String,
    /// Of the region prompter.
    pub prompt_sha256: String,
    /// Of what standardises and projects features.
    pub features_sha256: String,
}

impl SpaceId {
    /// That of the model with this manifest; `None` if it knows words alone.
    pub(crate) fn of(manifest: &Manifest) -> Option<Self> {
        let hash =
            |file: &str| manifest.files.get(file).map_or(String::new(), |hash| hash.to_ascii_lowercase());
        manifest.examples.as_ref()?;
        let (vision_sha256, prompt_sha256, features_sha256) = (hash(VISION), hash(PROMPT), hash(FEATURES));
        Some(Self { vision_sha256, prompt_sha256, features_sha256 })
    }

    /// What messages call it.
    pub(crate) fn short(&self) -> String {
        let parts = [&self.vision_sha256, &self.prompt_sha256, &self.features_sha256];
        parts.map(|hash| hash.chars().take(8).collect::<String>()).join("-")
    }
}
